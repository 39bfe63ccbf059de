package io.lamina.standalone.remake;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.ImageSource;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.image.manifest.FetchedManifest;
import io.lamina.image.manifest.ImageConfig;
import io.lamina.image.manifest.ImageResolver;
import io.lamina.image.manifest.Manifest;
import io.lamina.image.manifest.ManifestJson;
import io.lamina.image.manifest.ManifestStore;
import io.lamina.standalone.ConversionAccess;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The images that a journal names, found again: by their files as the repository, a source or a
 * folder of archives has them, or else where they came from, if that still has the same. One
 * thread.
 *
 * <p>Source: docs/adr/0065-lost-trees-are-made-again.md.
 */
final class JournalImages {
  private static final int MAX_KEPT_IMAGES = 256;

  /** What an image that is for one platform only may be for, the usual first. */
  private static final List<Platform> PLATFORMS =
      List.of(
          Platform.LINUX_AMD64,
          Platform.parse("linux/arm64"),
          Platform.parse("linux/arm/v7"),
          Platform.parse("linux/arm/v6"),
          Platform.parse("linux/386"),
          Platform.parse("linux/ppc64le"),
          Platform.parse("linux/s390x"),
          Platform.parse("linux/riscv64"));

  /** An image, and where the journal names it. */
  record Found(JournalIndex.Described described, ResolvedImage image) {}

  /** What each manifest names, once it was read: to find an image without reading all again. */
  private record Names(Digest config, Set<Digest> layers) {}

  private final JournalIndex index;
  private final KeptArchives archives;
  private final ConversionAccess access;
  private final boolean asksRegistries;
  private final ObjectCompressor compressor;
  private final Map<JournalIndex.Described, ResolvedImage> resolved =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(
            Map.Entry<JournalIndex.Described, ResolvedImage> eldest) {
          return size() > MAX_KEPT_IMAGES;
        }
      };

  private final Map<ContentHash, Names> named = new HashMap<>();
  private final Map<Digest, Digest> digests = new HashMap<>();

  /**
   * @param asksRegistries whether registries may be asked, too
   * @param compressor as planners compress manifests and configs; not closed here
   */
  JournalImages(
      JournalIndex index,
      KeptArchives archives,
      ConversionAccess access,
      boolean asksRegistries,
      ObjectCompressor compressor) {
    this.index = index;
    this.archives = archives;
    this.access = access;
    this.asksRegistries = asksRegistries;
    this.compressor = compressor;
  }

  JournalIndex index() {
    return index;
  }

  /** One of those near a revision that has this layer. */
  Optional<Found> ofLayer(Digest layer, long revision, KnownObjects objects) {
    return find(revision, objects, names -> names.layers().contains(layer));
  }

  /**
   * One of those near a revision that has this image id.
   *
   * @param id the config's digest in hexadecimal digits
   */
  Optional<Found> ofId(String id, long revision, KnownObjects objects) {
    return find(revision, objects, names -> names.config().hex().equals(id));
  }

  /**
   * This very image.
   *
   * @param reasons gets why it is not where it was looked for
   */
  Optional<ResolvedImage> find(
      JournalIndex.Described described, KnownObjects objects, List<String> reasons) {
    Optional<ResolvedImage> image = known(described, objects);
    return image.isPresent() ? image : asked(described, reasons);
  }

  /** An image that fits; others than those of the revision are not asked for anywhere. */
  private Optional<Found> find(long revision, KnownObjects objects, Predicate<Names> fits) {
    for (JournalIndex.Described described : index.imagesNear(revision)) {
      Names names = named.get(described.manifest().object());
      if (names != null && !fits.test(names)) {
        continue;
      }
      Optional<ResolvedImage> image = known(described, objects);
      if (image.isEmpty() && described.revision() == revision) {
        image = asked(described, new ArrayList<>());
      }
      if (image.isPresent() && fits.test(keep(described, image.get()))) {
        return Optional.of(new Found(described, image.get()));
      }
    }
    return Optional.empty();
  }

  private Names keep(JournalIndex.Described described, ResolvedImage image) {
    resolved.put(described, image);
    return named.computeIfAbsent(
        described.manifest().object(),
        _ ->
            new Names(
                image.config().digest(),
                image.layers().stream()
                    .map(layer -> layer.blob().digest())
                    .map(digest -> digests.computeIfAbsent(digest, same -> same))
                    .collect(Collectors.toSet())));
  }

  /** The image by files that the store, a source or an archive has. */
  private Optional<ResolvedImage> known(JournalIndex.Described described, KnownObjects objects) {
    ResolvedImage kept = resolved.get(described);
    if (kept != null) {
      return Optional.of(kept);
    }
    String name = described.publicName();
    try {
      Optional<byte[]> manifest =
          document(
              described.manifest().object(),
              described.manifest().sha256().map(hex -> Digest.parse("sha256:" + hex)),
              objects,
              ManifestJson.MAX_BYTES);
      if (manifest.isEmpty()
          || !(ManifestJson.parse(name, FetchedManifest.of(Optional.empty(), manifest.get()))
              instanceof Manifest.Image said)) {
        return Optional.empty();
      }
      Optional<byte[]> config =
          document(
              described.config().object(),
              Optional.of(said.config().digest()),
              objects,
              ImageConfig.MAX_BYTES);
      Optional<ResolvedImage> image =
          config
              .map(bytes -> parsed(name, manifest.get(), bytes))
              .filter(found -> isSame(described, found));
      image.ifPresent(found -> keep(described, found));
      return image;
    } catch (ImageException.Rejected | ImageException.Corrupt | ImageException.NotFound e) {
      return Optional.empty();
    }
  }

  private Optional<byte[]> document(
      ContentHash object, Optional<Digest> digest, KnownObjects objects, int maxBytes) {
    return objects
        .file(object, maxBytes)
        .or(() -> digest.flatMap(name -> archives.document(name, maxBytes)));
  }

  private static ResolvedImage parsed(String name, byte[] manifest, byte[] config) {
    ImageConfig said = ImageConfig.parse(name, config);
    Platform platform =
        new Platform(
            said.os().orElse("linux"), said.architecture().orElse("amd64"), said.variant());
    return ImageResolver.resolve(
        new ManifestStore() {
          @Override
          public FetchedManifest manifest(Descriptor descriptor) {
            throw new ImageException.NotFound(name + " is no index");
          }

          @Override
          public byte[] config(Descriptor descriptor) {
            return config;
          }

          @Override
          public String where() {
            return name;
          }
        },
        FetchedManifest.of(Optional.empty(), manifest),
        platform);
  }

  /** The image from where it is kept or came from, if that still has the same. */
  private Optional<ResolvedImage> asked(JournalIndex.Described described, List<String> reasons) {
    for (ImageReference reference : references(described)) {
      for (Platform platform : platforms(described)) {
        try (ImageSource source = access.images().open(reference)) {
          ResolvedImage image = source.resolve(platform);
          if (isSame(described, image)) {
            keep(described, image);
            return Optional.of(image);
          }
          reasons.add(
              reference.canonical() + " has manifest " + image.manifest().digest() + " now");
        } catch (ImageException.NotFound | ImageException.Rejected | ImageException.Corrupt e) {
          reasons.add(String.valueOf(e.getMessage()));
        }
      }
    }
    return Optional.empty();
  }

  private boolean isSame(JournalIndex.Described described, ResolvedImage image) {
    return objectOf(image.manifestBytes()).equals(described.manifest().object())
        && objectOf(image.configBytes()).equals(described.config().object());
  }

  private ContentHash objectOf(byte[] bytes) {
    return compressor.compress(bytes, HashAlgorithm.SHA1).hash();
  }

  /** By digest where the journal says it, since the tag may have moved on. */
  private List<ImageReference> references(JournalIndex.Described described) {
    String name = described.publicName();
    List<ImageReference> references = new ArrayList<>(archives.images(name));
    if (asksRegistries) {
      described
          .manifest()
          .sha256()
          .flatMap(hex -> registry(name, Digest.parse("sha256:" + hex)))
          .or(() -> registry(name))
          .ifPresent(references::add);
    }
    return references;
  }

  /** Images of folders and archives are published below a name that no registry has. */
  static Optional<ImageReference.Registry> registry(String publicName) {
    try {
      return !publicName.startsWith("local/")
              && ImageReference.parse("docker://" + publicName)
                  instanceof ImageReference.Registry reference
          ? Optional.of(reference)
          : Optional.empty();
    } catch (ImageException.Rejected e) {
      return Optional.empty();
    }
  }

  static Optional<ImageReference.Registry> registry(String publicName, Digest manifest) {
    return registry(publicName)
        .map(
            reference ->
                new ImageReference.Registry(
                    reference.host(),
                    reference.repository(),
                    Optional.empty(),
                    Optional.of(manifest)));
  }

  private static List<Platform> platforms(JournalIndex.Described described) {
    if (described.platform().isEmpty()) {
      return PLATFORMS;
    }
    String[] parts = described.platform().get().split(":", 2);
    try {
      return List.of(
          new Platform(
              "linux", parts[0], parts.length == 2 ? Optional.of(parts[1]) : Optional.empty()));
    } catch (ImageException.Rejected e) {
      return List.of();
    }
  }
}
