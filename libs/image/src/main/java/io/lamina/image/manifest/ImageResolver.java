package io.lamina.image.manifest;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.image.internal.Quoted;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows a reference's manifest to one platform's image and verifies all of its documents. One
 * resolver serves one call of {@link #resolve}; not thread-safe.
 */
public final class ImageResolver {
  private static final Logger LOG = LoggerFactory.getLogger(ImageResolver.class);

  /** An index in an index in an index, and no deeper. */
  private static final int MAX_DEPTH = 3;

  /** Documents that one resolution may fetch. */
  private static final int MAX_FETCHES = 64;

  private final ManifestStore store;
  private final Platform requested;
  private int fetches;

  private ImageResolver(ManifestStore store, Platform requested) {
    this.store = store;
    this.requested = requested;
  }

  /**
   * @param top what the reference names, already compared with the reference's digest
   * @throws ImageException.NotFound if there is no image for the platform; names those that are
   *     there
   * @throws ImageException.Rejected if a document is malformed or over a limit, or layers and diff
   *     ids do not match
   * @throws ImageException.Corrupt if a document is not what its digest says
   */
  public static ResolvedImage resolve(
      ManifestStore store, FetchedManifest top, Platform requested) {
    return new ImageResolver(store, requested).resolve(top);
  }

  /**
   * As {@link #resolve(ManifestStore, FetchedManifest, Platform)}, of the entries of an index that
   * are one image.
   */
  public static ResolvedImage resolve(
      ManifestStore store, List<IndexEntry> entries, Platform requested) {
    return new ImageResolver(store, requested)
        .fromIndex(new Manifest.Index(MediaTypes.OCI_INDEX, entries));
  }

  private ResolvedImage resolve(FetchedManifest top) {
    return switch (ManifestJson.parse(store.where(), top)) {
      case Manifest.Image image -> single(top, image);
      case Manifest.Index index -> fromIndex(index);
    };
  }

  private ResolvedImage single(FetchedManifest top, Manifest.Image image) {
    Loaded loaded = load(top, image);
    Platform actual = loaded.platform();
    if (PlatformMatch.distance(requested, actual).isEmpty()) {
      throw new ImageException.NotFound(
          store.where()
              + " is a single image for "
              + actual
              + ", not for "
              + requested
              + "; ask for the platform "
              + actual);
    }
    return loaded.finish(actual);
  }

  private ResolvedImage fromIndex(Manifest.Index index) {
    List<IndexEntry> leaves = new ArrayList<>();
    expand(index, 1, leaves);
    IndexEntry best = null;
    int bestDistance = Integer.MAX_VALUE;
    for (IndexEntry leaf : leaves) {
      OptionalInt distance =
          leaf.platform()
              .map(offered -> PlatformMatch.distance(requested, offered))
              .orElse(OptionalInt.empty());
      if (distance.isPresent() && distance.getAsInt() < bestDistance) {
        best = leaf;
        bestDistance = distance.getAsInt();
      }
    }
    if (best == null) {
      return amongUnlabelled(leaves);
    }
    Loaded loaded = load(best.descriptor());
    Platform stated = best.platform().orElseThrow();
    Platform actual = loaded.platform();
    if (PlatformMatch.distance(requested, actual).isEmpty()) {
      LOG.atWarn()
          .addKeyValue("image", store.where())
          .addKeyValue("index", stated)
          .addKeyValue("config", actual)
          .log("index and config state different platforms; the index decides");
    }
    return loaded.finish(stated);
  }

  /** Layouts often list images without a platform: then only their configs tell. */
  private ResolvedImage amongUnlabelled(List<IndexEntry> leaves) {
    TreeSet<String> offered = new TreeSet<>();
    Loaded best = null;
    int bestDistance = Integer.MAX_VALUE;
    for (IndexEntry leaf : leaves) {
      if (leaf.platform().isPresent()) {
        offered.add(leaf.platform().get().toString());
        continue;
      }
      FetchedManifest fetched = fetch(leaf.descriptor());
      if (!(ManifestJson.parse(store.where(), fetched) instanceof Manifest.Image image)
          || !MediaTypes.isImageConfig(image.config().mediaType())) {
        continue;
      }
      Loaded loaded = load(fetched, image);
      offered.add(loaded.platform().toString());
      OptionalInt distance = PlatformMatch.distance(requested, loaded.platform());
      if (distance.isPresent() && distance.getAsInt() < bestDistance) {
        best = loaded;
        bestDistance = distance.getAsInt();
      }
    }
    if (best == null) {
      throw new ImageException.NotFound(
          store.where()
              + " has no image for "
              + requested
              + (offered.isEmpty()
                  ? "; its index lists no image at all"
                  : "; there are: " + Quoted.plain(String.join(", ", offered), 1000)));
    }
    return best.finish(best.platform());
  }

  private void expand(Manifest.Index index, int depth, List<IndexEntry> leaves) {
    for (IndexEntry entry : index.entries()) {
      String type = entry.descriptor().mediaType();
      if (!entry.isRunnable()) {
        continue;
      }
      if (!MediaTypes.isIndex(type)) {
        if (type.isEmpty() || MediaTypes.isImageManifest(type)) {
          leaves.add(entry);
        }
        continue;
      }
      boolean mayMatch =
          entry.platform().isEmpty()
              || PlatformMatch.distance(requested, entry.platform().get()).isPresent();
      if (!mayMatch) {
        leaves.add(entry);
        continue;
      }
      if (depth == MAX_DEPTH) {
        throw new ImageException.Rejected(
            store.where() + ": indexes are nested deeper than " + MAX_DEPTH);
      }
      if (!(ManifestJson.parse(store.where(), fetch(entry.descriptor()))
          instanceof Manifest.Index nested)) {
        throw new ImageException.Rejected(
            store.where() + ": " + entry.descriptor().digest() + " is listed as index and is none");
      }
      expand(nested, depth + 1, leaves);
    }
  }

  private Loaded load(Descriptor descriptor) {
    FetchedManifest fetched = fetch(descriptor);
    if (ManifestJson.parse(store.where(), fetched) instanceof Manifest.Image image) {
      return load(fetched, image);
    }
    throw new ImageException.Rejected(
        store.where() + ": " + descriptor.digest() + " is listed as image and is an index");
  }

  private Loaded load(FetchedManifest fetched, Manifest.Image image) {
    Descriptor config = image.config();
    if (!MediaTypes.isImageConfig(config.mediaType())) {
      throw new ImageException.Rejected(
          store.where()
              + " is not a container image: its config is of the type "
              + Quoted.of(config.mediaType()));
    }
    if (config.sizeBytes() > ImageConfig.MAX_BYTES) {
      throw new ImageException.Rejected(
          store.where()
              + ": the config has "
              + config.sizeBytes()
              + " bytes; the limit is "
              + ImageConfig.MAX_BYTES);
    }
    countFetch();
    byte[] bytes = store.config(config);
    verify("config", config, bytes, Digest.sha256(bytes));
    return new Loaded(
        store.where(), fetched, image, bytes, ImageConfig.parse(store.where(), bytes), requested);
  }

  private FetchedManifest fetch(Descriptor descriptor) {
    if (descriptor.sizeBytes() > ManifestJson.MAX_BYTES) {
      throw new ImageException.Rejected(
          store.where()
              + ": manifest "
              + descriptor.digest()
              + " has "
              + descriptor.sizeBytes()
              + " bytes; the limit is "
              + ManifestJson.MAX_BYTES);
    }
    countFetch();
    FetchedManifest fetched = store.manifest(descriptor);
    verify("manifest", descriptor, fetched.bytes(), fetched.digest());
    return fetched;
  }

  private void countFetch() {
    fetches++;
    if (fetches > MAX_FETCHES) {
      throw new ImageException.Rejected(
          store.where() + ": more than " + MAX_FETCHES + " documents to choose a platform from");
    }
  }

  private void verify(String kind, Descriptor expected, byte[] bytes, Digest actual) {
    if (!actual.equals(expected.digest()) || bytes.length != expected.sizeBytes()) {
      throw new ImageException.Corrupt(
          store.where()
              + ": "
              + kind
              + " "
              + expected.digest()
              + " of "
              + expected.sizeBytes()
              + " bytes came as "
              + actual
              + " of "
              + bytes.length
              + " bytes");
    }
  }

  /** A platform's manifest and config, verified. */
  private record Loaded(
      String where,
      FetchedManifest fetched,
      Manifest.Image image,
      byte[] configBytes,
      ImageConfig config,
      Platform requested) {
    /** As the config states it; what it leaves out is what was asked for. */
    Platform platform() {
      try {
        return new Platform(
            config.os().orElse(requested.os()),
            config.architecture().orElse(requested.architecture()),
            config.architecture().isPresent()
                ? config.variant()
                : config.variant().or(requested::variant));
      } catch (ImageException.Rejected e) {
        throw new ImageException.Rejected(where + ", config: " + e.getMessage(), e);
      }
    }

    ResolvedImage finish(Platform platform) {
      List<Descriptor> all = image.layers();
      if (all.size() != config.diffIds().size()) {
        throw new ImageException.Rejected(
            where
                + ": the manifest has "
                + all.size()
                + " layers but the config has "
                + config.diffIds().size()
                + " diff ids");
      }
      List<LayerDescriptor> layers = new ArrayList<>();
      List<Descriptor> foreign = new ArrayList<>();
      for (int i = 0; i < all.size(); i++) {
        Descriptor layer = all.get(i);
        if (MediaTypes.isForeignLayer(layer.mediaType())) {
          foreign.add(layer);
        } else if (MediaTypes.isLayer(layer.mediaType())) {
          layers.add(new LayerDescriptor(layer, config.diffIds().get(i)));
        } else {
          throw new ImageException.Rejected(
              where
                  + ": layer "
                  + i
                  + " is of the unknown type "
                  + Quoted.of(layer.mediaType())
                  + "; known are tar layers, plain or compressed by gzip or zstd");
        }
      }
      return new ResolvedImage(
          platform,
          fetched.describedAs(image.mediaType()),
          fetched.bytes(),
          image.config(),
          configBytes,
          layers,
          foreign);
    }
  }
}
