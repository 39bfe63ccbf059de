package io.lamina.image.manifest;

import java.util.List;
import java.util.Set;

/** The media types that images use. Source: OCI image specification and Docker's schema 2. */
public final class MediaTypes {
  public static final String DOCKER_MANIFEST =
      "application/vnd.docker.distribution.manifest.v2+json";
  public static final String DOCKER_LIST =
      "application/vnd.docker.distribution.manifest.list.v2+json";
  public static final String OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  public static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";

  public static final String DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";
  public static final String OCI_CONFIG = "application/vnd.oci.image.config.v1+json";

  public static final String DOCKER_LAYER_GZIP =
      "application/vnd.docker.image.rootfs.diff.tar.gzip";
  public static final String DOCKER_LAYER_ZSTD =
      "application/vnd.docker.image.rootfs.diff.tar.zstd";
  public static final String DOCKER_LAYER_PLAIN = "application/vnd.docker.image.rootfs.diff.tar";
  public static final String OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
  public static final String OCI_LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd";
  public static final String OCI_LAYER_PLAIN = "application/vnd.oci.image.layer.v1.tar";

  /** What a client says it understands, in order of preference. */
  public static final List<String> ACCEPTED_MANIFESTS =
      List.of(OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST);

  private static final Set<String> SCHEMA_1 =
      Set.of(
          "application/vnd.docker.distribution.manifest.v1+json",
          "application/vnd.docker.distribution.manifest.v1+prettyjws");

  private static final Set<String> FOREIGN_LAYERS =
      Set.of(
          "application/vnd.docker.image.rootfs.foreign.diff.tar",
          "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
          "application/vnd.docker.image.rootfs.foreign.diff.tar.zstd",
          "application/vnd.oci.image.layer.nondistributable.v1.tar",
          "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
          "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd");

  private static final Set<String> LAYERS =
      Set.of(
          DOCKER_LAYER_GZIP,
          DOCKER_LAYER_ZSTD,
          DOCKER_LAYER_PLAIN,
          OCI_LAYER_GZIP,
          OCI_LAYER_ZSTD,
          OCI_LAYER_PLAIN);

  private MediaTypes() {}

  public static boolean isIndex(String mediaType) {
    return mediaType.equals(DOCKER_LIST) || mediaType.equals(OCI_INDEX);
  }

  public static boolean isImageManifest(String mediaType) {
    return mediaType.equals(DOCKER_MANIFEST) || mediaType.equals(OCI_MANIFEST);
  }

  public static boolean isSchema1(String mediaType) {
    return SCHEMA_1.contains(mediaType);
  }

  public static boolean isImageConfig(String mediaType) {
    return mediaType.equals(DOCKER_CONFIG) || mediaType.equals(OCI_CONFIG);
  }

  /** A file-system layer that the registry holds, in a compression that can be read. */
  public static boolean isLayer(String mediaType) {
    return LAYERS.contains(mediaType);
  }

  /** A file-system layer that registries do not distribute. */
  public static boolean isForeignLayer(String mediaType) {
    return FOREIGN_LAYERS.contains(mediaType);
  }
}
