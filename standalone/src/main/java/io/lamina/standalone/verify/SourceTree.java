package io.lamina.standalone.verify;

import io.lamina.image.Descriptor;
import io.lamina.image.ImageException;
import io.lamina.image.ImageSource;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.ResolvedImage;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.apache.commons.compress.compressors.zstandard.ZstdCompressorInputStream;

/**
 * An image's root file system as its tars describe it, applied layer over layer by a reader of its
 * own, so that a fault of the converter cannot hide itself. One use, one thread.
 */
final class SourceTree {
  private static final String WHITEOUT = ".wh.";
  private static final String OPAQUE = ".wh..wh..opq";

  private final NavigableMap<String, SourceEntry> entries = new TreeMap<>();

  /** Folders that names of a layer lie in, with the highest such layer: engines make them. */
  private final NavigableMap<String, Integer> folders = new TreeMap<>();

  private SourceTree() {}

  /**
   * Reads all layers.
   *
   * @throws ImageException.Retryable if a blob cannot be read
   */
  static SourceTree read(ImageSource source, ResolvedImage image) {
    SourceTree tree = new SourceTree();
    List<LayerDescriptor> layers = image.layers();
    for (int i = 0; i < layers.size(); i++) {
      Descriptor blob = layers.get(i).blob();
      try (InputStream raw = new BufferedInputStream(source.openBlob(blob), 1 << 16);
          InputStream plain = decompressed(raw, blob.mediaType());
          TarArchiveInputStream tar =
              new TarArchiveInputStream(plain, StandardCharsets.UTF_8.name())) {
        tree.apply(tar, i);
      } catch (IOException e) {
        throw new ImageException.Retryable(
            "cannot read layer " + blob.digest() + " again: " + e, e, null);
      }
    }
    return tree;
  }

  /** By path (no leading slash), without the root. */
  NavigableMap<String, SourceEntry> entries() {
    return Collections.unmodifiableNavigableMap(entries);
  }

  /** Whether there is a folder at the path though no layer may hold an entry for it. */
  boolean impliesFolder(String path) {
    return folders.containsKey(path);
  }

  private static InputStream decompressed(InputStream raw, String mediaType) throws IOException {
    if (mediaType.endsWith("gzip")) {
      return new GzipCompressorInputStream(raw, true);
    }
    return mediaType.endsWith("zstd") ? new ZstdCompressorInputStream(raw) : raw;
  }

  private void apply(TarArchiveInputStream tar, int layer) throws IOException {
    for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
      String path = clean(entry.getName());
      String name = path.substring(path.lastIndexOf('/') + 1);
      String folder = folderOf(path);
      if (path.isEmpty()) {
        continue;
      }
      for (String at = folder; !at.isEmpty(); at = folderOf(at)) {
        folders.put(at, layer);
      }
      if (name.equals(OPAQUE)) {
        hideBelow(folder, layer);
      } else if (name.startsWith(WHITEOUT + WHITEOUT)) {
        continue;
      } else if (name.startsWith(WHITEOUT)) {
        String victim = (folder.isEmpty() ? "" : folder + "/") + name.substring(WHITEOUT.length());
        hideBelow(victim, layer);
        folders.computeIfPresent(victim, (_, by) -> by < layer ? null : by);
        if (entries.containsKey(victim) && entries.get(victim).layer() < layer) {
          entries.remove(victim);
        }
      } else {
        put(tar, entry, path, layer);
      }
    }
  }

  private void put(TarArchiveInputStream tar, TarArchiveEntry entry, String path, int layer)
      throws IOException {
    SourceEntry old = entries.get(path);
    if (old != null && old.type() == 'd' && !entry.isDirectory()) {
      hideBelow(path, Integer.MAX_VALUE);
    }
    if (entry.isLink()) {
      SourceEntry target = entries.get(clean(entry.getLinkName()));
      if (target != null) {
        entries.put(path, target);
      }
      return;
    }
    boolean isFile = entry.isFile() && !entry.isSymbolicLink();
    entries.put(
        path,
        new SourceEntry(
            type(entry),
            entry.getMode() & 07777,
            entry.getLongUserId(),
            entry.getLongGroupId(),
            isFile ? entry.getRealSize() : 0,
            Math.floorDiv(entry.getLastModifiedTime().toMillis(), 1000L),
            isFile ? sha256(tar) : "",
            entry.isSymbolicLink() ? entry.getLinkName() : "",
            layer));
  }

  private static char type(TarArchiveEntry entry) {
    if (entry.isDirectory()) {
      return 'd';
    }
    if (entry.isSymbolicLink()) {
      return 'l';
    }
    if (entry.isCharacterDevice()) {
      return 'c';
    }
    if (entry.isBlockDevice()) {
      return 'b';
    }
    return entry.isFIFO() ? 'p' : 'f';
  }

  private void hideBelow(String folder, int layer) {
    below(entries, folder).values().removeIf(entry -> entry.layer() < layer);
    below(folders, folder).values().removeIf(by -> by < layer);
  }

  private static <V> NavigableMap<String, V> below(NavigableMap<String, V> map, String folder) {
    return folder.isEmpty() ? map : map.subMap(folder + "/", true, folder + "0", false);
  }

  private static String folderOf(String path) {
    return path.substring(0, Math.max(0, path.lastIndexOf('/')));
  }

  private static String clean(String name) {
    String path = name;
    while (path.startsWith("./") || path.startsWith("/")) {
      path = path.substring(path.startsWith("/") ? 1 : 2);
    }
    while (path.endsWith("/")) {
      path = path.substring(0, path.length() - 1);
    }
    return path.equals(".") ? "" : path;
  }

  static String sha256(InputStream content) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      new DigestInputStream(content, digest).transferTo(OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }
}
