package io.lamina.image.testing;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.image.internal.StrictJson;
import io.lamina.image.manifest.MediaTypes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Makes images in memory, of layers given as tars. The same calls give the same bytes.
 *
 * <pre>{@code
 * TestImage image =
 *     ImageBuilder.oci()
 *         .layer(TarBuilder.Compression.GZIP, tar -> tar.file("etc/motd", 0644, "hello"))
 *         .config(config -> config.putArray("Cmd").add("/bin/sh"))
 *         .build();
 * ImageFiles.writeOciLayout(folder, Map.of("v1", image));
 * }</pre>
 */
public final class ImageBuilder {
  private final boolean isDocker;
  private final ObjectNode config = StrictJson.newObject();
  private final List<LayerDescriptor> layers = new ArrayList<>();
  private final ArrayNode layerNodes = StrictJson.newObject().putArray("layers");
  private final Map<Digest, byte[]> blobs = new LinkedHashMap<>();
  private Platform platform = Platform.LINUX_AMD64;
  private Consumer<ObjectNode> configEdit = whole -> {};
  private Consumer<ObjectNode> manifestEdit = whole -> {};

  private ImageBuilder(boolean isDocker) {
    this.isDocker = isDocker;
  }

  /** An image with OCI media types. */
  public static ImageBuilder oci() {
    return new ImageBuilder(false);
  }

  /** An image with the media types of Docker's schema 2. */
  public static ImageBuilder docker() {
    return new ImageBuilder(true);
  }

  public ImageBuilder platform(Platform platform) {
    this.platform = platform;
    return this;
  }

  /** Edits the runtime section: Env, Cmd, Labels and so on. */
  public ImageBuilder config(Consumer<ObjectNode> edit) {
    edit.accept(config);
    return this;
  }

  /** Edits the whole config just before it is written, for instance to break it. */
  public ImageBuilder wholeConfig(Consumer<ObjectNode> edit) {
    configEdit = configEdit.andThen(edit);
    return this;
  }

  /** Edits the manifest just before it is written. */
  public ImageBuilder wholeManifest(Consumer<ObjectNode> edit) {
    manifestEdit = manifestEdit.andThen(edit);
    return this;
  }

  public ImageBuilder layer(TarBuilder.Compression compression, Consumer<TarBuilder> content) {
    TarBuilder tar = new TarBuilder();
    content.accept(tar);
    return layer(compression, tar.toBytes());
  }

  /**
   * @param tar uncompressed; need not be a valid tar
   */
  public ImageBuilder layer(TarBuilder.Compression compression, byte[] tar) {
    String type =
        switch (compression) {
          case GZIP -> isDocker ? MediaTypes.DOCKER_LAYER_GZIP : MediaTypes.OCI_LAYER_GZIP;
          case ZSTD -> isDocker ? MediaTypes.DOCKER_LAYER_ZSTD : MediaTypes.OCI_LAYER_ZSTD;
          case PLAIN -> isDocker ? MediaTypes.DOCKER_LAYER_PLAIN : MediaTypes.OCI_LAYER_PLAIN;
        };
    return layer(type, TarBuilder.compress(tar, compression), Digest.sha256(tar));
  }

  /** A layer as it comes: any media type, any blob, and the diff id that the config will state. */
  public ImageBuilder layer(String mediaType, byte[] blob, Digest diffId) {
    Descriptor descriptor = new Descriptor(mediaType, Digest.sha256(blob), blob.length);
    layers.add(new LayerDescriptor(descriptor, diffId));
    layerNodes.add(node(descriptor));
    blobs.put(descriptor.digest(), blob);
    return this;
  }

  public TestImage build() {
    ObjectNode whole = StrictJson.newObject();
    whole.put("created", "2026-01-01T00:00:00Z");
    whole.put("architecture", platform.architecture());
    platform.variant().ifPresent(variant -> whole.put("variant", variant));
    whole.put("os", platform.os());
    whole.set("config", config.deepCopy());
    ObjectNode rootfs = whole.putObject("rootfs").put("type", "layers");
    ArrayNode diffIds = rootfs.putArray("diff_ids");
    layers.forEach(layer -> diffIds.add(layer.diffId().toString()));
    ArrayNode history = whole.putArray("history");
    layers.forEach(layer -> history.addObject().put("created_by", "test"));
    configEdit.accept(whole);
    byte[] configBytes = StrictJson.write(whole);
    Descriptor configDescriptor =
        new Descriptor(
            isDocker ? MediaTypes.DOCKER_CONFIG : MediaTypes.OCI_CONFIG,
            Digest.sha256(configBytes),
            configBytes.length);
    blobs.put(configDescriptor.digest(), configBytes);

    String type = isDocker ? MediaTypes.DOCKER_MANIFEST : MediaTypes.OCI_MANIFEST;
    ObjectNode manifest = StrictJson.newObject();
    manifest.put("schemaVersion", 2);
    manifest.put("mediaType", type);
    manifest.set("config", node(configDescriptor));
    manifest.set("layers", layerNodes.deepCopy());
    manifestEdit.accept(manifest);
    byte[] manifestBytes = StrictJson.write(manifest);
    return new TestImage(
        new Descriptor(type, Digest.sha256(manifestBytes), manifestBytes.length),
        manifestBytes,
        configBytes,
        platform,
        layers,
        List.of(),
        blobs);
  }

  /** An index (a manifest list if the first image is a Docker one) that states each platform. */
  public static TestImage index(TestImage... images) {
    return index(index -> {}, images);
  }

  /** An index, edited just before it is written. */
  public static TestImage index(Consumer<ObjectNode> edit, TestImage... images) {
    boolean isDocker =
        images.length > 0 && images[0].manifest().mediaType().equals(MediaTypes.DOCKER_MANIFEST);
    String type = isDocker ? MediaTypes.DOCKER_LIST : MediaTypes.OCI_INDEX;
    ObjectNode index = StrictJson.newObject();
    index.put("schemaVersion", 2);
    index.put("mediaType", type);
    ArrayNode entries = index.putArray("manifests");
    Map<Digest, byte[]> blobs = new LinkedHashMap<>();
    for (TestImage image : images) {
      ObjectNode entry = node(image.manifest());
      if (!MediaTypes.isIndex(image.manifest().mediaType())) {
        ObjectNode platform = entry.putObject("platform");
        platform.put("architecture", image.platform().architecture());
        platform.put("os", image.platform().os());
        image.platform().variant().ifPresent(variant -> platform.put("variant", variant));
      }
      entries.add(entry);
      blobs.put(image.manifest().digest(), image.manifestBytes());
      blobs.putAll(image.blobs());
    }
    edit.accept(index);
    byte[] bytes = StrictJson.write(index);
    return new TestImage(
        new Descriptor(type, Digest.sha256(bytes), bytes.length),
        bytes,
        new byte[0],
        Platform.LINUX_AMD64,
        List.of(),
        List.of(images),
        blobs);
  }

  static ObjectNode node(Descriptor descriptor) {
    ObjectNode node = StrictJson.newObject();
    node.put("mediaType", descriptor.mediaType());
    node.put("digest", descriptor.digest().toString());
    node.put("size", descriptor.sizeBytes());
    return node;
  }
}
