package io.lamina.repository;

import static java.util.Objects.requireNonNull;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.CatalogRow;
import io.lamina.cvmfs.catalog.Chunk;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.cvmfs.history.History;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.SignedManifest;
import io.lamina.storage.ObjectStore;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a repository shows, path by path, whoever has written it: types, modes, owners, link targets
 * and contents, and nothing that two writers may do differently, such as hashes.
 */
final class PublishedTree {
  private static final int MAX_BYTES = 64 << 20;

  private final ObjectStore store;
  private final Map<String, String> tree = new TreeMap<>();

  private PublishedTree(ObjectStore store) {
    this.store = store;
  }

  static Manifest manifest(ObjectStore store) {
    return SignedManifest.parse(store.read(RepositoryFiles.MANIFEST, MAX_BYTES)).manifest();
  }

  /** The head. */
  static Map<String, String> of(ObjectStore store) {
    return at(store, manifest(store).rootCatalog());
  }

  /** The revision that a tag names. */
  static Map<String, String> atTag(ObjectStore store, String tag) {
    Manifest manifest = manifest(store);
    PublishedTree reading = new PublishedTree(store);
    byte[] bytes = reading.object(ObjectKind.HISTORY, manifest.history().orElseThrow());
    try (History history = History.open(bytes, manifest.repository())) {
      return at(store, history.tag(tag).orElseThrow().snapshot().root());
    }
  }

  /** The revision before the head. */
  static Map<String, String> previous(ObjectStore store) {
    return atTag(store, Tag.TRUNK_PREVIOUS);
  }

  private static Map<String, String> at(ObjectStore store, ContentHash root) {
    PublishedTree reading = new PublishedTree(store);
    reading.walk(RepositoryPath.ROOT, root);
    return reading.tree;
  }

  private void walk(RepositoryPath mount, ContentHash hash) {
    try (CatalogReader catalog = CatalogReader.open(object(ObjectKind.CATALOG, hash))) {
      Deque<RepositoryPath> directories = new ArrayDeque<>();
      directories.add(mount);
      while (!directories.isEmpty()) {
        RepositoryPath directory = directories.remove();
        for (CatalogRow row : catalog.list(directory)) {
          RepositoryPath path = directory.resolve(requireNonNull(row.name()));
          tree.put(path.toString(), describe(catalog.entry(row)));
          if (row.isNestedMountpoint()) {
            walk(path, catalog.nestedAt(path).orElseThrow().hash());
          } else if (catalog.entry(row).isDirectory()) {
            directories.add(path);
          }
        }
      }
    }
  }

  private String describe(CatalogEntry entry) {
    if (entry.isSymlink()) {
      return "link " + new String(entry.symlinkTarget(), StandardCharsets.UTF_8);
    }
    String mode = Integer.toOctalString(entry.mode() & 07777);
    String owner = entry.uid() + ":" + entry.gid();
    if (entry.isDirectory()) {
      return "dir " + mode + " " + owner;
    }
    if (entry.isRegular()) {
      return "file " + mode + " " + owner + " " + content(entry);
    }
    return "special " + Integer.toOctalString(entry.mode()) + " " + owner + " " + entry.sizeBytes();
  }

  private String content(CatalogEntry entry) {
    if (entry.chunks().isEmpty()) {
      return text(part(ObjectKind.FILE, requireNonNull(entry.hash()), entry.compression()));
    }
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (Chunk chunk : entry.chunks()) {
      all.writeBytes(part(ObjectKind.CHUNK, chunk.hash(), entry.compression()));
    }
    return text(all.toByteArray());
  }

  private static String text(byte[] content) {
    return new String(content, StandardCharsets.ISO_8859_1);
  }

  private byte[] part(ObjectKind kind, ContentHash hash, CompressionAlgorithm compression) {
    byte[] stored = store.read(RepositoryFiles.object(kind, hash), MAX_BYTES);
    return compression == CompressionAlgorithm.NONE
        ? stored
        : Decompression.inflate(stored, MAX_BYTES);
  }

  private byte[] object(ObjectKind kind, ContentHash hash) {
    return Decompression.inflate(
        store.read(RepositoryFiles.object(kind, hash), MAX_BYTES), MAX_BYTES);
  }
}
