package io.lamina.standalone.remake;

import io.lamina.converter.flat.FlatMerger;
import io.lamina.converter.flat.FlatWork;
import io.lamina.converter.layer.LayerConverter;
import io.lamina.converter.layer.LayerWork;
import io.lamina.converter.layer.ObjectPipeline;
import io.lamina.converter.plan.StoredPlanFiles;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.ImageSource;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.image.manifest.FetchedManifest;
import io.lamina.image.manifest.ImageConfig;
import io.lamina.image.manifest.ImageResolver;
import io.lamina.image.manifest.Manifest;
import io.lamina.image.manifest.ManifestJson;
import io.lamina.image.manifest.ManifestStore;
import io.lamina.journal.Journal;
import io.lamina.journal.JournalException;
import io.lamina.journal.replay.Needed;
import io.lamina.journal.replay.ObjectSources;
import io.lamina.journal.replay.Remaker;
import io.lamina.publisher.ThinJson;
import io.lamina.repository.CatalogCompression;
import io.lamina.repository.ObjectUploads;
import io.lamina.standalone.ConversionAccess;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Makes what no source has any more from the images: layers are converted and merged again,
 * manifests and configs fetched. Only what comes to the very name that the journal says is stored.
 * Images are looked for in kept archives first, then in their registries, if these may be asked.
 *
 * <p>Source: docs/adr/0065-lost-trees-are-made-again.md. Used by one thread at a time; close it.
 */
public final class JournalRemaker implements Remaker, AutoCloseable {
  private static final int MAX_STORED_BYTES = 256 << 20;
  private static final int MAX_CATALOG_BYTES = 512 << 20;
  private static final int MAX_KEPT_IMAGES = 256;
  private static final int BUFFER_BYTES = 1 << 16;

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

  private final Journal journal;
  private final RepositoryName repository;
  private final ObjectSources sources;
  private final KeptArchives archives;
  private final ConversionAccess access;
  private final boolean asksRegistries;
  private final Consumer<String> notes;
  private final ObjectPipeline pipeline;
  private final ObjectCompressor planned = StoredPlanFiles.COMPRESSION.newCompressor();
  private final ObjectCompressor published = CatalogCompression.FOR_PUBLISHERS.newCompressor();
  private final Map<JournalIndex.Described, ResolvedImage> resolved =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(
            Map.Entry<JournalIndex.Described, ResolvedImage> eldest) {
          return size() > MAX_KEPT_IMAGES;
        }
      };

  /** What each manifest names, once it was read: to find an image without reading all again. */
  private record Names(Digest config, Set<Digest> layers) {}

  private final Map<ContentHash, Names> named = new HashMap<>();
  private final Map<Digest, Digest> digests = new HashMap<>();
  private @Nullable JournalIndex index;

  /**
   * @param repository in the journal
   * @param sources of objects; what they have is not made
   * @param archives folders with layer archives
   * @param access to images, and how converters made layers of them; not closed here
   * @param asksRegistries whether registries may be asked, too
   * @param notes told what is converted, for people
   */
  public JournalRemaker(
      Journal journal,
      RepositoryName repository,
      ObjectSources sources,
      List<Path> archives,
      ConversionAccess access,
      boolean asksRegistries,
      Consumer<String> notes) {
    this.journal = journal;
    this.repository = repository;
    this.sources = sources;
    this.archives = new KeptArchives(archives);
    this.access = access;
    this.asksRegistries = asksRegistries;
    this.notes = notes;
    this.pipeline = new ObjectPipeline(access.pipeline());
  }

  @Override
  public Optional<String> makeAgain(Needed needed, ObjectStore store) {
    try {
      if (needed.kind() != ObjectKind.CATALOG) {
        return index()
            .describedBy(needed.hash())
            .map(image -> file(needed, image, store))
            .orElse(Optional.of(""));
      }
      Optional<JournalIndex.Tree> tree = index().tree(needed.hash());
      if (tree.isEmpty()) {
        return Optional.of("the journal does not say how it was made");
      }
      return JournalIndex.layerOf(needed.path()).isPresent()
          ? layer(tree.get(), store)
          : merged(tree.get(), store);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JournalException.Retryable("interrupted while converting", e);
    } catch (ImageException.Retryable e) {
      throw new JournalException.Retryable(
          "what is missing below " + needed.path() + " cannot be fetched now: " + e.getMessage(),
          e);
    } catch (StorageException e) {
      throw new JournalException.Retryable("cannot store what was made: " + e.getMessage(), e);
    }
  }

  private JournalIndex index() {
    JournalIndex known = index;
    if (known == null) {
      known = JournalIndex.of(journal, repository);
      index = known;
    }
    return known;
  }

  // ---- layers -------------------------------------------------------------------------------

  /** A blob that may be the layer's, and where it is, for people. */
  private record Candidate(String where, LayerDescriptor layer, Opening opening) {}

  private interface Opening {
    InputStream open() throws IOException;
  }

  private Optional<String> layer(JournalIndex.Tree tree, ObjectStore store)
      throws InterruptedException {
    Digest layer = JournalIndex.layerOf(tree.graft().path()).orElseThrow();
    List<String> reasons = new ArrayList<>();
    for (Path file : archives.find(layer)) {
      Optional<Digest> diffId = diffId(layer, tree, store);
      if (diffId.isEmpty()) {
        reasons.add("nothing says the diff id that " + file + " must have");
        continue;
      }
      Candidate candidate = archive(file, layer, diffId.get());
      Optional<String> reason = convert(tree, candidate, store);
      if (reason.isEmpty()) {
        return reason;
      }
      reasons.add(reason.get());
    }
    if (asksRegistries) {
      Optional<String> reason = fromRegistries(tree, layer, store);
      if (reason.isEmpty()) {
        return reason;
      }
      reasons.add(reason.get());
    }
    return Optional.of(
        "layer "
            + layer
            + " cannot be converted again: "
            + (reasons.isEmpty() ? "no folder of archives has it" : String.join("; ", reasons))
            + ". Name another source of objects, a folder with the layer's archive"
            + (asksRegistries ? "" : ", or let registries be asked"));
  }

  private static Candidate archive(Path file, Digest layer, Digest diffId) {
    long size;
    try {
      size = Files.size(file);
    } catch (IOException e) {
      throw new JournalException.Retryable("cannot read " + file + ": " + e.getMessage(), e);
    }
    return new Candidate(
        file.toString(),
        new LayerDescriptor(new Descriptor("", layer, size), diffId),
        () -> new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES));
  }

  private Optional<Digest> diffId(Digest layer, JournalIndex.Tree tree, ObjectStore store) {
    return index()
        .diffId(layer)
        .or(
            () ->
                imageOf(layer, tree, store)
                    .flatMap(image -> descriptor(image.image(), layer))
                    .map(LayerDescriptor::diffId));
  }

  private static Optional<LayerDescriptor> descriptor(ResolvedImage image, Digest layer) {
    return image.layers().stream().filter(one -> one.blob().digest().equals(layer)).findFirst();
  }

  private Optional<String> fromRegistries(JournalIndex.Tree tree, Digest layer, ObjectStore store)
      throws InterruptedException {
    Optional<Found> found = imageOf(layer, tree, store);
    if (found.isEmpty()) {
      return Optional.of("no image that can be read names it");
    }
    String name = found.get().described().publicName();
    Optional<ImageReference.Registry> reference =
        registry(name, found.get().image().manifest().digest());
    if (reference.isEmpty()) {
      return Optional.of("image " + name + " came from no registry");
    }
    Optional<LayerDescriptor> descriptor = descriptor(found.get().image(), layer);
    if (descriptor.isEmpty()) {
      return Optional.of("registries do not hand it out");
    }
    try (ImageSource source = access.images().open(reference.get())) {
      return convert(
          tree,
          new Candidate(
              "image " + name, descriptor.get(), () -> source.openBlob(descriptor.get().blob())),
          store);
    } catch (ImageException.Rejected | ImageException.NotFound e) {
      return Optional.of("image " + name + ": " + e.getMessage());
    }
  }

  private Optional<String> convert(JournalIndex.Tree tree, Candidate candidate, ObjectStore store)
      throws InterruptedException {
    Digest layer = candidate.layer().blob().digest();
    ContentHash came = tree.graft().catalog();
    for (long seconds : recorded(tree, store)) {
      notes.accept("converting layer " + layer + " again, from " + candidate.where());
      HeldCatalogs sink = new HeldCatalogs(store);
      try (InputStream blob = candidate.opening().open()) {
        Graft made =
            new LayerConverter(pipeline, access.limits())
                .convert(
                    new LayerWork(candidate.layer(), tree.graft().path(), seconds),
                    blob,
                    sink,
                    bytes -> {})
                .graft();
        if (made.catalog().equals(tree.graft().catalog())) {
          sink.release();
          return Optional.empty();
        }
        came = made.catalog();
      } catch (IOException
          | ImageException.Corrupt
          | ImageException.Rejected
          | CvmfsException.Rejected e) {
        return Optional.of(candidate.where() + ": " + e.getMessage());
      } catch (ImageException.NotFound e) {
        return Optional.of(candidate.where() + " does not have it: " + e.getMessage());
      }
    }
    return Optional.of(other(candidate.where(), came, tree));
  }

  private String other(String what, ContentHash came, JournalIndex.Tree tree) {
    return what
        + " comes to catalog "
        + came
        + ", and the journal says "
        + tree.graft().catalog()
        + ": it was converted with another compression than "
        + access.pipeline().compression()
        + (tree.graft().recordedSeconds().isPresent()
            ? ""
            : ", at a time that the journal does not say,")
        + " or by a release that writes catalogs differently";
  }

  /** The times that the tree's catalogs may say, the most probable first. */
  private List<Long> recorded(JournalIndex.Tree tree, ObjectStore store) {
    Optional<Long> said = tree.graft().recordedSeconds();
    if (said.isEmpty()) {
      said =
          object(ObjectKind.CATALOG, tree.graft().catalog(), store, MAX_CATALOG_BYTES)
              .map(JournalRemaker::lastModified);
    }
    return said.map(List::of)
        .orElseGet(
            () ->
                List.of(tree.transactionSeconds(), tree.graft().root().mtimeSeconds()).stream()
                    .filter(seconds -> seconds >= 0)
                    .distinct()
                    .toList());
  }

  private static long lastModified(byte[] database) {
    try (CatalogReader catalog = CatalogReader.open(database)) {
      return catalog.lastModifiedSeconds();
    }
  }

  // ---- merged trees -------------------------------------------------------------------------

  private Optional<String> merged(JournalIndex.Tree tree, ObjectStore store)
      throws InterruptedException {
    String id = JournalIndex.name(tree.graft().path());
    Optional<Found> found = find(tree.revision(), store, names -> names.config().hex().equals(id));
    if (found.isEmpty()) {
      return Optional.of(
          "the merged tree of image sha256:" + id + " cannot be made again: no image has that id");
    }
    ResolvedImage image = found.get().image();
    List<Graft> layers = new ArrayList<>();
    for (LayerDescriptor layer : image.layers()) {
      Optional<JournalIndex.Tree> lower = index().layerAt(layer.blob().digest(), tree.revision());
      if (lower.isEmpty()) {
        return Optional.of("the journal does not show its layer " + layer.blob().digest());
      }
      if (object(ObjectKind.CATALOG, lower.get().graft().catalog(), store, MAX_CATALOG_BYTES)
          .isEmpty()) {
        Optional<String> reason = layer(lower.get(), store);
        if (reason.isPresent()) {
          return reason;
        }
      }
      layers.add(lower.get().graft());
    }
    ContentHash came = tree.graft().catalog();
    for (long seconds : recorded(tree, store)) {
      notes.accept("merging image sha256:" + id + " again");
      HeldCatalogs sink = new HeldCatalogs(store);
      try {
        Graft made =
            new FlatMerger(pipeline, hash -> catalog(hash, store), access.maxEntries())
                .merge(
                    new FlatWork(layers, image.configBytes(), tree.graft().path(), seconds), sink)
                .graft();
        if (made.catalog().equals(tree.graft().catalog())) {
          sink.release();
          return Optional.empty();
        }
        came = made.catalog();
      } catch (ImageException.Rejected | CvmfsException.Rejected | CvmfsException.Corrupt e) {
        return Optional.of("merging image sha256:" + id + " failed: " + e.getMessage());
      }
    }
    return Optional.of(other("merging image sha256:" + id, came, tree));
  }

  private byte[] catalog(ContentHash hash, ObjectStore store) {
    return object(ObjectKind.CATALOG, hash, store, MAX_CATALOG_BYTES)
        .orElseThrow(
            () -> new CvmfsException.Corrupt("catalog " + hash + " of a layer is in no source"));
  }

  // ---- files --------------------------------------------------------------------------------

  private Optional<String> file(
      Needed needed, JournalIndex.Described described, ObjectStore store) {
    Optional<ResolvedImage> image = known(described, store);
    List<String> reasons = new ArrayList<>();
    if (image.isEmpty()) {
      image = asked(described, reasons);
    }
    if (image.isPresent()) {
      for (byte[] bytes : contents(needed, described, image.get())) {
        ObjectCompressor compressor = JournalIndex.isThin(needed.path()) ? published : planned;
        CompressedObject object = compressor.compress(bytes, HashAlgorithm.SHA1);
        if (object.hash().equals(needed.hash())) {
          ObjectUploads uploads = new ObjectUploads(store);
          uploads.put(ObjectKind.FILE, object);
          uploads.flush();
          return Optional.empty();
        }
      }
      reasons.add("what image " + described.publicName() + " has now is another file");
    }
    return Optional.of(
        "the file "
            + needed.path()
            + " cannot be fetched again: "
            + (reasons.isEmpty() ? "nobody may be asked for it" : String.join("; ", reasons)));
  }

  private List<byte[]> contents(
      Needed needed, JournalIndex.Described described, ResolvedImage image) {
    if (!JournalIndex.isThin(needed.path())) {
      return List.of(image.manifestBytes(), image.configBytes());
    }
    List<Digest> layers = image.layers().stream().map(layer -> layer.blob().digest()).toList();
    // What was asked for is nowhere else: with a tag, pinned to a digest, or as a folder.
    List<ImageReference> origins = new ArrayList<>(archives.images(described.publicName()));
    registry(described.publicName())
        .ifPresent(
            reference -> {
              origins.add(reference);
              origins.add(
                  new ImageReference.Registry(
                      reference.host(),
                      reference.repository(),
                      reference.tag(),
                      Optional.of(image.manifest().digest())));
            });
    return origins.stream()
        .map(origin -> new ThinJson().write(repository, origin.canonical(), layers))
        .toList();
  }

  // ---- images -------------------------------------------------------------------------------

  private record Found(JournalIndex.Described described, ResolvedImage image) {}

  private Optional<Found> imageOf(Digest layer, JournalIndex.Tree tree, ObjectStore store) {
    return find(tree.revision(), store, names -> names.layers().contains(layer));
  }

  /** An image that fits; others than those of the revision are not asked for anywhere. */
  private Optional<Found> find(long revision, ObjectStore store, Predicate<Names> fits) {
    for (JournalIndex.Described described : index().imagesNear(revision)) {
      Names names = named.get(described.manifest().object());
      if (names != null && !fits.test(names)) {
        continue;
      }
      Optional<ResolvedImage> image = known(described, store);
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
  private Optional<ResolvedImage> known(JournalIndex.Described described, ObjectStore store) {
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
              store,
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
              store,
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
      ContentHash object, Optional<Digest> digest, ObjectStore store, int maxBytes) {
    return object(ObjectKind.FILE, object, store, maxBytes)
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
    return planned.compress(bytes, HashAlgorithm.SHA1).hash();
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
  private static Optional<ImageReference.Registry> registry(String publicName) {
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

  private static Optional<ImageReference.Registry> registry(String publicName, Digest manifest) {
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

  // ---- objects ------------------------------------------------------------------------------

  /** An object's content, from the store or a source. */
  private Optional<byte[]> object(
      ObjectKind kind, ContentHash hash, ObjectStore store, int maxBytes) {
    Optional<byte[]> stored = stored(kind, hash, store);
    if (stored.isEmpty()) {
      stored = sources.read(kind, hash, MAX_STORED_BYTES);
    }
    try {
      return stored.map(bytes -> Decompression.inflate(bytes, maxBytes));
    } catch (CvmfsException.Corrupt e) {
      return Optional.empty();
    }
  }

  private static Optional<byte[]> stored(ObjectKind kind, ContentHash hash, ObjectStore store) {
    try {
      byte[] bytes = store.read(new ObjectKey(kind.pathOf(hash)), MAX_STORED_BYTES);
      return Arrays.equals(
              CompressedObject.ofStored(bytes, hash.algorithm()).hash().digest(), hash.digest())
          ? Optional.of(bytes)
          : Optional.empty();
    } catch (StorageException.NotFound e) {
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    pipeline.close();
    planned.close();
    published.close();
  }
}
