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
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.ImageSource;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.ResolvedImage;
import io.lamina.journal.Journal;
import io.lamina.journal.JournalException;
import io.lamina.journal.replay.Needed;
import io.lamina.journal.replay.ObjectSources;
import io.lamina.journal.replay.Remaker;
import io.lamina.publisher.ThinJson;
import io.lamina.repository.CatalogCompression;
import io.lamina.repository.ObjectUploads;
import io.lamina.standalone.ConversionAccess;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes what no source has any more from the images: layers are converted and merged again,
 * manifests and configs fetched. Only what comes to the very name that the journal says is stored.
 * Images are looked for in kept archives first, then in their registries, if these may be asked.
 *
 * <p>Source: docs/adr/0065-lost-trees-are-made-again.md. Used by one thread at a time; close it.
 */
public final class JournalRemaker implements Remaker, AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 16;

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
  private @Nullable JournalImages images;

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
    KnownObjects objects = new KnownObjects(sources, store);
    try {
      if (needed.kind() != ObjectKind.CATALOG) {
        return index()
            .describedBy(needed.hash())
            .map(image -> file(needed, image, objects))
            .orElse(Optional.of(""));
      }
      Optional<JournalIndex.Tree> tree = index().tree(needed.hash());
      if (tree.isEmpty()) {
        return Optional.of("the journal does not say how it was made");
      }
      return JournalIndex.layerOf(needed.path()).isPresent()
          ? layer(tree.get(), objects)
          : merged(tree.get(), objects);
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

  private JournalImages images() {
    JournalImages known = images;
    if (known == null) {
      JournalIndex index = JournalIndex.of(journal, repository);
      known = new JournalImages(index, archives, access, asksRegistries, planned);
      images = known;
    }
    return known;
  }

  private JournalIndex index() {
    return images().index();
  }

  // ---- layers -------------------------------------------------------------------------------

  /** A blob that may be the layer's, and where it is, for people. */
  private record Candidate(String where, LayerDescriptor layer, Opening opening) {}

  private interface Opening {
    InputStream open() throws IOException;
  }

  private Optional<String> layer(JournalIndex.Tree tree, KnownObjects objects)
      throws InterruptedException {
    Digest layer = JournalIndex.layerOf(tree.graft().path()).orElseThrow();
    List<String> reasons = new ArrayList<>();
    for (Path file : archives.find(layer)) {
      Optional<Digest> diffId = diffId(layer, tree, objects);
      if (diffId.isEmpty()) {
        reasons.add("nothing says the diff id that " + file + " must have");
        continue;
      }
      Candidate candidate = archive(file, layer, diffId.get());
      Optional<String> reason = convert(tree, candidate, objects);
      if (reason.isEmpty()) {
        return reason;
      }
      reasons.add(reason.get());
    }
    if (asksRegistries) {
      Optional<String> reason = fromRegistries(tree, layer, objects);
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

  private Optional<Digest> diffId(Digest layer, JournalIndex.Tree tree, KnownObjects objects) {
    return index()
        .diffId(layer)
        .or(
            () ->
                images()
                    .ofLayer(layer, tree.revision(), objects)
                    .flatMap(image -> descriptor(image.image(), layer))
                    .map(LayerDescriptor::diffId));
  }

  private static Optional<LayerDescriptor> descriptor(ResolvedImage image, Digest layer) {
    return image.layers().stream().filter(one -> one.blob().digest().equals(layer)).findFirst();
  }

  private Optional<String> fromRegistries(
      JournalIndex.Tree tree, Digest layer, KnownObjects objects) throws InterruptedException {
    Optional<JournalImages.Found> found = images().ofLayer(layer, tree.revision(), objects);
    if (found.isEmpty()) {
      return Optional.of("no image that can be read names it");
    }
    String name = found.get().described().publicName();
    Optional<ImageReference.Registry> reference =
        JournalImages.registry(name, found.get().image().manifest().digest());
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
          objects);
    } catch (ImageException.Rejected | ImageException.NotFound e) {
      return Optional.of("image " + name + ": " + e.getMessage());
    }
  }

  private Optional<String> convert(
      JournalIndex.Tree tree, Candidate candidate, KnownObjects objects)
      throws InterruptedException {
    Digest layer = candidate.layer().blob().digest();
    ContentHash came = tree.graft().catalog();
    for (long seconds : recorded(tree, objects)) {
      notes.accept("converting layer " + layer + " again, from " + candidate.where());
      HeldCatalogs sink = new HeldCatalogs(objects.store());
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
  private List<Long> recorded(JournalIndex.Tree tree, KnownObjects objects) {
    Optional<Long> said = tree.graft().recordedSeconds();
    if (said.isEmpty()) {
      said = objects.catalog(tree.graft().catalog()).map(JournalRemaker::lastModified);
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

  private Optional<String> merged(JournalIndex.Tree tree, KnownObjects objects)
      throws InterruptedException {
    String id = JournalIndex.name(tree.graft().path());
    Optional<JournalImages.Found> found = images().ofId(id, tree.revision(), objects);
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
      if (objects.catalog(lower.get().graft().catalog()).isEmpty()) {
        Optional<String> reason = layer(lower.get(), objects);
        if (reason.isPresent()) {
          return reason;
        }
      }
      layers.add(lower.get().graft());
    }
    ContentHash came = tree.graft().catalog();
    for (long seconds : recorded(tree, objects)) {
      notes.accept("merging image sha256:" + id + " again");
      HeldCatalogs sink = new HeldCatalogs(objects.store());
      try {
        Graft made =
            new FlatMerger(pipeline, hash -> catalog(hash, objects), access.maxEntries())
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

  private byte[] catalog(ContentHash hash, KnownObjects objects) {
    return objects
        .catalog(hash)
        .orElseThrow(
            () -> new CvmfsException.Corrupt("catalog " + hash + " of a layer is in no source"));
  }

  // ---- files --------------------------------------------------------------------------------

  private Optional<String> file(
      Needed needed, JournalIndex.Described described, KnownObjects objects) {
    List<String> reasons = new ArrayList<>();
    Optional<ResolvedImage> image = images().find(described, objects, reasons);
    if (image.isPresent()) {
      for (byte[] bytes : contents(needed, described, image.get())) {
        ObjectCompressor compressor = JournalIndex.isThin(needed.path()) ? published : planned;
        CompressedObject object = compressor.compress(bytes, HashAlgorithm.SHA1);
        if (object.hash().equals(needed.hash())) {
          ObjectUploads uploads = new ObjectUploads(objects.store());
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
    JournalImages.registry(described.publicName())
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

  @Override
  public void close() {
    pipeline.close();
    planned.close();
    published.close();
  }
}
