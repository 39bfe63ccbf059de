package io.lamina.image;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Names an image in one of the transports' usual notations. Immutable.
 *
 * <p>{@code [docker://]REGISTRY/REPO[:TAG][@DIGEST]} (Docker Hub short names as Docker resolves
 * them), {@code oci:DIR[:REF]}, {@code oci-archive:FILE[:REF]}, {@code docker-archive:FILE[:REF]}.
 * A local path ends at its first colon; {@link #parse} makes it absolute.
 */
public sealed interface ImageReference {
  /**
   * @throws ImageException.Rejected saying what is wrong and what the accepted forms are
   */
  static ImageReference parse(String text) {
    return ImageReferenceParser.parse(text);
  }

  /**
   * A tag as registries list them.
   *
   * @throws ImageException.Rejected if it breaks the grammar
   */
  static String checkedTag(String tag) {
    ImageReferenceParser.checkTag(tag);
    return tag;
  }

  /** The full text form, which {@link #parse} reads back to an equal reference. */
  String canonical();

  /**
   * Where the image is published below the repository's root: {@code REGISTRY/REPO:TAG}; with a
   * digest alone {@code REGISTRY/REPO@sha256:…}. For folders and archives {@code local/NAME:TAG},
   * from the reference or, without one, the file's name.
   */
  String publicName();

  /** An image in a registry; at least one of tag and digest is present. */
  record Registry(String host, String repository, Optional<String> tag, Optional<Digest> digest)
      implements ImageReference {
    /**
     * @throws ImageException.Rejected if a part breaks the grammar, or tag and digest both miss
     */
    public Registry {
      ImageReferenceParser.checkRegistry(host, repository, tag, digest);
    }

    /** What manifests are asked for by: the digest if there is one, else the tag. */
    public String tagOrDigest() {
      return digest.map(Digest::toString).orElseGet(tag::orElseThrow);
    }

    @Override
    public String canonical() {
      return "docker://" + host + "/" + repository + reference();
    }

    @Override
    public String publicName() {
      return host + "/" + repository + tag.map(t -> ":" + t).orElseGet(this::reference);
    }

    private String reference() {
      return tag.map(t -> ":" + t).orElse("") + digest.map(d -> "@" + d).orElse("");
    }
  }

  /** A folder in OCI image layout. */
  record OciLayout(Path folder, Optional<String> ref) implements ImageReference {
    /**
     * @throws ImageException.Rejected if it has no text form or no name to be published under
     */
    public OciLayout {
      ImageReferenceParser.checkLocal(folder, ref);
    }

    @Override
    public String canonical() {
      return "oci:" + folder + ref.map(r -> ":" + r).orElse("");
    }

    @Override
    public String publicName() {
      return ImageReferenceParser.localName(folder, ref);
    }
  }

  /** A tar file of an OCI image layout. */
  record OciArchive(Path file, Optional<String> ref) implements ImageReference {
    /**
     * @throws ImageException.Rejected if it has no text form or no name to be published under
     */
    public OciArchive {
      ImageReferenceParser.checkLocal(file, ref);
    }

    @Override
    public String canonical() {
      return "oci-archive:" + file + ref.map(r -> ":" + r).orElse("");
    }

    @Override
    public String publicName() {
      return ImageReferenceParser.localName(file, ref);
    }
  }

  /** A tar file as {@code docker save} writes it. */
  record DockerArchive(Path file, Optional<String> ref) implements ImageReference {
    /**
     * @throws ImageException.Rejected if it has no text form or no name to be published under
     */
    public DockerArchive {
      ImageReferenceParser.checkLocal(file, ref);
    }

    @Override
    public String canonical() {
      return "docker-archive:" + file + ref.map(r -> ":" + r).orElse("");
    }

    @Override
    public String publicName() {
      return ImageReferenceParser.localName(file, ref);
    }
  }
}
