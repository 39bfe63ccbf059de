package io.lamina.repository.releasemanager;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.reader.FileStat;
import io.lamina.cvmfs.reader.RepositoryReader;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * Condenses a tree to what two writers of it must agree on: every path with its type, mode, owner,
 * time, size, link target and device number. Hashes differ between compressors and are left out.
 */
final class TreeDigest {
  private TreeDigest() {}

  static byte[] of(RepositoryReader reader, RepositoryPath top) {
    MessageDigest digest = sha256();
    long[] count = new long[1];
    reader.walk(
        top,
        stat -> {
          if (!isLeftOut(stat)) {
            count[0]++;
            add(digest, stat);
          }
        });
    digest.update(ByteBuffer.allocate(Long.BYTES).putLong(count[0]).flip());
    return digest.digest();
  }

  static boolean areEqual(RepositoryReader ours, RepositoryReader published, RepositoryPath top) {
    return Arrays.equals(of(ours, top), of(published, top));
  }

  private static boolean isLeftOut(FileStat stat) {
    return TreeArchive.isCatalogMarker(stat.path()) || !TreeArchive.isPublished(stat);
  }

  private static void add(MessageDigest digest, FileStat stat) {
    CatalogEntry entry = stat.entry();
    byte[] path = stat.path().bytes();
    ByteBuffer fixed = ByteBuffer.allocate(2 * Integer.BYTES + 4 * Long.BYTES);
    fixed.putInt(path.length);
    fixed.putInt(entry.mode());
    fixed.putLong(entry.uid());
    fixed.putLong(entry.gid());
    fixed.putLong(entry.mtimeSeconds());
    fixed.putLong(entry.isDirectory() || entry.isSymlink() ? 0 : sizeOrDevice(entry));
    digest.update(fixed.flip());
    digest.update(path);
    digest.update(entry.symlinkTarget());
  }

  private static long sizeOrDevice(CatalogEntry entry) {
    int type = entry.mode() & CatalogEntry.TYPE_MASK;
    return type == CatalogEntry.FIFO ? 0 : entry.sizeBytes();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
