package io.lamina.converter.flat;

import io.lamina.converter.layer.Markers;
import io.lamina.converter.layer.ObjectSink;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.catalog.Xattrs;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Compression;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.cvmfs.tree.CatalogTreeReader;
import io.lamina.cvmfs.tree.CatalogTreeSettings;
import io.lamina.cvmfs.tree.CatalogTreeWriter;
import io.lamina.cvmfs.tree.FileTree;
import io.lamina.cvmfs.tree.LayerMerge;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Merges the catalogs of an image's layers into the root file system that a container would see. No
 * file object is read; only a few small files for Apptainer are added, where the image has nothing.
 * The result depends on the arguments and the compression alone.
 *
 * <p>Memory: some hundred bytes an entry, twice while the last layer is merged. Thread-safe.
 *
 * <p>Source: docs/conversion.md, "Merging".
 */
public final class FlatMerger implements AutoCloseable {
  private static final HashAlgorithm HASH = HashAlgorithm.SHA1;

  private final ObjectCompressor compressor;
  private final int maxEntries;

  public FlatMerger(Compression compression, int maxEntries) {
    this.compressor = compression.newCompressor();
    this.maxEntries = maxEntries;
  }

  /**
   * A merged image; its catalogs and files are stored and durable.
   *
   * @param entries of the merged tree
   * @param catalogs that hold them
   * @param newCatalogs of these, not there before
   * @param newBytes stored for those
   */
  public record Merged(Graft graft, long entries, long catalogs, long newCatalogs, long newBytes) {}

  /**
   * Merges.
   *
   * @param layers bottom first
   * @param catalogs gives the decompressed, verified database of a catalog's object
   * @param config the image's config, byte-exact
   * @param mount where the merged tree will hang
   * @param timestampSeconds recorded time for what no layer brings
   * @throws CvmfsException.Rejected if the merged tree is too large
   * @throws io.lamina.image.ImageException.Rejected if the config cannot be read
   * @throws io.lamina.storage.StorageException from the sink
   */
  public Merged merge(
      List<Graft> layers,
      Function<ContentHash, byte[]> catalogs,
      byte[] config,
      RepositoryPath mount,
      long timestampSeconds,
      ObjectSink sink) {
    CatalogEntry directory = directory(timestampSeconds);
    FileTree merged = new FileTree(maxEntries, directory);
    CatalogTreeReader reader = new CatalogTreeReader(catalogs);
    for (Graft layer : layers) {
      FileTree upper = new FileTree(maxEntries, directory);
      reader.load(upper, layer.path(), layer.catalog());
      resolveMarks(merged, upper);
      LayerMerge.overlay(merged, upper);
    }
    RuntimeFiles.of(config).addTo(new Additions(merged, sink, timestampSeconds));

    Tally tally = new Tally(sink);
    CompressedObject empty = CompressedObject.empty(HASH);
    sink.put(ObjectKind.FILE, empty.hash(), empty.bytes(), 0, empty.bytes().length);
    Graft graft =
        new CatalogTreeWriter(CatalogTreeSettings.of(HASH, timestampSeconds), compressor)
            .write(merged, mount, (at, kind, catalog) -> tally.store(kind, catalog), path -> {});
    sink.flush();
    return new Merged(graft, merged.entries(), tally.catalogs, tally.newCatalogs, tally.newBytes);
  }

  /**
   * Puts in what the layer's catalog could only point to: the files of lower layers that it links to,
   * and the attributes of directories that it does not describe.
   */
  private static void resolveMarks(FileTree lower, FileTree upper) {
    Map<RepositoryPath, CatalogEntry> resolved = new LinkedHashMap<>();
    upper.forEach(
        (path, entry) -> {
          SortedMap<String, byte[]> attributes = entry.xattrs().asMap();
          byte[] target = attributes.get(Markers.HARD_LINK);
          if (target != null) {
            resolved.put(path, linked(lower, path, target));
          } else if (attributes.remove(Markers.IMPLICIT) != null) {
            CatalogEntry plain = with(entry, Xattrs.of(attributes));
            resolved.put(path, lower.find(path).filter(CatalogEntry::isDirectory).orElse(plain));
          }
        });
    resolved.forEach(upper::put);
  }

  private static CatalogEntry linked(FileTree lower, RepositoryPath path, byte[] target) {
    byte[] absolute = new byte[target.length + 1];
    absolute[0] = '/';
    System.arraycopy(target, 0, absolute, 1, target.length);
    RepositoryPath file = RepositoryPath.ofBytes(absolute);
    return lower
        .find(file)
        .filter(entry -> !entry.isDirectory())
        .orElseThrow(
            () ->
                new CvmfsException.Rejected(
                    path + " is a hard link to " + file + ", which no lower layer has"));
  }

  private static CatalogEntry with(CatalogEntry entry, Xattrs xattrs) {
    return new CatalogEntry(
        entry.mode(),
        entry.uid(),
        entry.gid(),
        entry.sizeBytes(),
        entry.mtimeSeconds(),
        entry.mtimeNanos(),
        entry.hardlinkGroup(),
        entry.linkCount(),
        entry.hash(),
        entry.compression(),
        entry.symlinkTarget(),
        xattrs,
        entry.chunks());
  }

  private static CatalogEntry directory(long timestampSeconds) {
    return made(
        CatalogEntry.DIRECTORY | 0755,
        CatalogEntry.DIRECTORY_SIZE_BYTES,
        timestampSeconds,
        null,
        new byte[0]);
  }

  private static CatalogEntry made(
      int mode,
      long sizeBytes,
      long timestampSeconds,
      @Nullable ContentHash object,
      byte[] linkTarget) {
    boolean isDirectory = (mode & CatalogEntry.TYPE_MASK) == CatalogEntry.DIRECTORY;
    return new CatalogEntry(
        mode,
        0,
        0,
        sizeBytes,
        timestampSeconds,
        -1,
        0,
        isDirectory ? 2 : 1,
        object,
        CompressionAlgorithm.ZLIB,
        linkTarget,
        Xattrs.NONE,
        List.of());
  }

  @Override
  public void close() {
    compressor.close();
  }

  /** Adds entries where the image has nothing, and never through a link of the image. */
  final class Additions {
    private final FileTree tree;
    private final ObjectSink sink;
    private final long timestampSeconds;

    private Additions(FileTree tree, ObjectSink sink, long timestampSeconds) {
      this.tree = tree;
      this.sink = sink;
      this.timestampSeconds = timestampSeconds;
    }

    void directory(String path) {
      at(path).ifPresent(place -> tree.put(place, FlatMerger.directory(timestampSeconds)));
    }

    void file(String path, int permissions, byte[] content) {
      at(path)
          .ifPresent(
              place -> {
                CompressedObject object = compressor.compress(content, HASH);
                sink.put(ObjectKind.FILE, object.hash(), object.bytes(), 0, object.bytes().length);
                tree.put(
                    place,
                    made(
                        CatalogEntry.REGULAR | permissions,
                        content.length,
                        timestampSeconds,
                        object.hash(),
                        new byte[0]));
              });
    }

    void link(String path, String target) {
      byte[] raw = target.getBytes(StandardCharsets.UTF_8);
      at(path)
          .ifPresent(
              place ->
                  tree.put(
                      place,
                      made(CatalogEntry.SYMLINK | 0777, raw.length, timestampSeconds, null, raw)));
    }

    /** The place, if it is free and all above it are directories or missing. */
    private Optional<RepositoryPath> at(String path) {
      RepositoryPath place = RepositoryPath.of(path);
      if (tree.find(place).isPresent()) {
        return Optional.empty();
      }
      for (RepositoryPath above = place.parent(); !above.isRoot(); above = above.parent()) {
        if (tree.find(above).filter(entry -> !entry.isDirectory()).isPresent()) {
          return Optional.empty();
        }
      }
      return Optional.of(place);
    }
  }

  /** Stores catalogs and counts them. */
  private static final class Tally {
    private final ObjectSink sink;
    private long catalogs;
    private long newCatalogs;
    private long newBytes;

    Tally(ObjectSink sink) {
      this.sink = sink;
    }

    void store(ObjectKind kind, CompressedObject catalog) {
      catalogs++;
      if (sink.put(kind, catalog.hash(), catalog.bytes(), 0, catalog.bytes().length)) {
        newCatalogs++;
        newBytes += catalog.bytes().length;
      }
    }
  }
}
