package io.lamina.client.mount;

import io.lamina.client.tree.Entry;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Chunk;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * The original client's attributes that are in no catalog: of the repository, listed at the root
 * and readable everywhere, and of files. They go before stored ones of the same name. Thread-safe.
 *
 * <p>Source: docs/client.md, "Extended attributes".
 */
public final class MagicAttributes {
  private static final int MAX_LIST_CHARS = 40_000;

  private final SortedMap<String, Supplier<String>> ofRepository;

  /**
   * @param ofRepository by full name, such as {@code user.revision}
   */
  public MagicAttributes(Map<String, Supplier<String>> ofRepository) {
    this.ofRepository = new TreeMap<>(ofRepository);
  }

  Set<String> names() {
    return ofRepository.keySet();
  }

  Optional<byte[]> value(Entry file, String name) {
    if (!name.startsWith("user.") && !name.equals("xfsroot.rawlink")) {
      return Optional.empty();
    }
    Supplier<String> known = ofRepository.get(name);
    if (known != null) {
      return Optional.of(known.get().getBytes(StandardCharsets.UTF_8));
    }
    CatalogEntry entry = file.entry();
    if (entry.isSymlink()) {
      return name.endsWith(".rawlink") ? Optional.of(entry.symlinkTarget()) : Optional.empty();
    }
    return entry.isRegular()
        ? ofFile(file, name).map(text -> text.getBytes(StandardCharsets.US_ASCII))
        : Optional.empty();
  }

  private static Optional<String> ofFile(Entry file, String name) {
    CatalogEntry entry = file.entry();
    ContentHash hash = entry.hash();
    return switch (name) {
      case "user.hash" -> Optional.ofNullable(hash).map(ContentHash::toString);
      case "user.chunks" -> Optional.of(Integer.toString(Math.max(1, entry.chunks().size())));
      case "user.chunk_list" -> Optional.of(chunkList(entry));
      case "user.compression" ->
          Optional.of(
              switch (entry.compression()) {
                case ZLIB -> "zlib";
                case NONE -> "none";
              });
      case "user.external_file" -> Optional.of(file.isExternal() ? "1" : "0");
      default -> Optional.empty();
    };
  }

  /** As far as the kernel takes values; the original client shows such lists in pages. */
  private static String chunkList(CatalogEntry entry) {
    StringBuilder list = new StringBuilder("hash,offset,size\n");
    ContentHash whole = entry.hash();
    if (entry.chunks().isEmpty() && whole != null) {
      list.append(whole).append(",0,").append(entry.sizeBytes()).append('\n');
    }
    for (Chunk chunk : entry.chunks()) {
      if (list.length() > MAX_LIST_CHARS) {
        break;
      }
      list.append(chunk.hash()).append(',').append(chunk.offsetBytes()).append(',');
      list.append(chunk.sizeBytes()).append('\n');
    }
    return list.toString();
  }
}
