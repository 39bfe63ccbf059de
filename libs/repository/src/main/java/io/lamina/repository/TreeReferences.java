package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.PathHash;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.CatalogRow;
import io.lamina.cvmfs.catalog.NestedCatalog;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which layers and merged trees the images of a repository refer to: by the digests in their
 * metadata (manifest and thin descriptor), and by their links. Rather too many than too few are
 * found: whatever looks like a digest counts, as a layer's and as an image's.
 *
 * <p>Source: docs/protocol/transactions.md, "Removals". Thread-safe, one call at a time.
 */
public final class TreeReferences {
  /** A longer manifest than any registry takes. */
  private static final int MAX_METADATA_BYTES = 8 << 20;

  private static final int MAX_CATALOGS = 1_000_000;
  private static final int MAX_KNOWN_OBJECTS = 50_000;
  private static final Set<String> METADATA_FILES = Set.of("manifest.json", "thin.json");

  /** Hidden in text of any form; a longer run of digits is none. */
  private static final Pattern SHA256 =
      Pattern.compile("(?<![0-9a-fA-F])[0-9a-f]{64}(?![0-9a-fA-F])");

  private final ObjectStore store;

  /** Objects are immutable: each is read once. */
  private final Map<ContentHash, List<String>> known =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<ContentHash, List<String>> eldest) {
          return size() > MAX_KNOWN_OBJECTS;
        }
      };

  public TreeReferences(ObjectStore store) {
    this.store = store;
  }

  /**
   * The hex digests that images refer to.
   *
   * @param counts which of them count: the hash of a link's path, or of a metadata folder's
   * @throws RepositoryException.Corrupt if a catalog or an image's metadata is missing or damaged:
   *     then nobody knows what it refers to
   */
  public synchronized Set<String> find(RepositoryView view, Predicate<PathHash> counts) {
    Set<String> found = new HashSet<>();
    view.forEachCatalog(
        path -> !RepositoryLayout.isAmongTrees(path), catalog -> collect(catalog, counts, found));
    return found;
  }

  /**
   * The hex digests that images referred to in any of these revisions.
   *
   * @param roots their root catalogs; what they share is read once
   * @throws RepositoryException.Corrupt as {@link #find}
   */
  public synchronized Set<String> findIn(Collection<ContentHash> roots) {
    CatalogStore catalogs = new CatalogStore(store, 0);
    Set<String> found = new HashSet<>();
    Set<ContentHash> seen = new HashSet<>(roots);
    Deque<ContentHash> next = new ArrayDeque<>(seen);
    while (!next.isEmpty()) {
      ContentHash hash = next.remove();
      try (CatalogReader catalog = CatalogReader.open(catalogs.read(hash))) {
        collect(catalog, path -> true, found);
        for (NestedCatalog nested : catalog.nestedCatalogs()) {
          if (!RepositoryLayout.isAmongTrees(nested.path()) && seen.add(nested.hash())) {
            next.add(nested.hash());
          }
        }
      } catch (CvmfsException.Corrupt | CvmfsException.Rejected e) {
        throw new RepositoryException.Corrupt("catalog " + hash + " cannot be read", e);
      }
      if (seen.size() > MAX_CATALOGS) {
        throw new RepositoryException.Corrupt(
            "more than " + MAX_CATALOGS + " catalogs outside of layers", null);
      }
    }
    return found;
  }

  private void collect(CatalogReader catalog, Predicate<PathHash> counts, Set<String> found) {
    Set<ContentHash> metadata = new HashSet<>();
    boolean isAmongMetadata = catalog.mount().startsWith(RepositoryLayout.allMetadata());
    boolean isAmongTrees = RepositoryLayout.isAmongTrees(catalog.mount());
    catalog.forEachRow(
        row -> {
          byte[] target = row.symlink();
          if (target != null && target.length > 0 && !isAmongTrees && counts.test(row.path())) {
            digestsIn(target).forEach(found::add);
          } else if (isAmongMetadata && isMetadata(row) && counts.test(row.parent())) {
            ContentHash object = catalog.entry(row).hash();
            if (object != null) {
              metadata.add(object);
            }
          }
        });
    metadata.forEach(object -> found.addAll(read(object)));
  }

  private static boolean isMetadata(CatalogRow row) {
    return !row.isDirectory() && METADATA_FILES.contains(row.displayName());
  }

  private List<String> read(ContentHash object) {
    List<String> digests = known.get(object);
    if (digests == null) {
      digests = List.copyOf(digestsIn(content(object)));
      known.put(object, digests);
    }
    return digests;
  }

  private byte[] content(ContentHash object) {
    try {
      byte[] stored =
          store.read(RepositoryFiles.object(ObjectKind.FILE, object), MAX_METADATA_BYTES);
      HashAlgorithm algorithm = object.algorithm();
      if (!Arrays.equals(
          CompressedObject.ofStored(stored, algorithm).hash().digest(), object.digest())) {
        throw new RepositoryException.Corrupt(
            "an image's metadata, object " + object + ", has other content", null);
      }
      return Decompression.inflate(stored, MAX_METADATA_BYTES);
    } catch (StorageException.NotFound | StorageException.Exhausted | CvmfsException.Corrupt e) {
      throw new RepositoryException.Corrupt(
          "an image's metadata, object " + object + ", is missing or damaged", e);
    }
  }

  private static Set<String> digestsIn(byte[] text) {
    Set<String> digests = new HashSet<>();
    Matcher matcher = SHA256.matcher(new String(text, StandardCharsets.ISO_8859_1));
    while (matcher.find()) {
      digests.add(matcher.group());
    }
    return digests;
  }
}
