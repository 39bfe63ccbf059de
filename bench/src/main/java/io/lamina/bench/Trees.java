package io.lamina.bench;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.tree.FileTree;
import java.nio.ByteBuffer;

/** Trees as layers have them: files of a few hundred directories. */
final class Trees {
  static final RepositoryPath MOUNT = RepositoryPath.of("/.layers/ab/abcdef/layerfs");
  static final long TIME_SECONDS = 1_767_225_600;

  private static final int FILES_PER_DIRECTORY = 40;

  private Trees() {}

  /**
   * @param files numbered from {@code first}; equal numbers are equal paths
   * @param generation decides the objects
   */
  static FileTree of(int first, int files, int generation) {
    FileTree tree = new FileTree(FileTree.DEFAULT_MAX_ENTRIES, directory());
    for (int i = first; i < first + files; i++) {
      tree.put(path(i), file(i, generation));
    }
    return tree;
  }

  static RepositoryPath path(int file) {
    int directory = file / FILES_PER_DIRECTORY;
    return RepositoryPath.of(
        "/usr/lib/package-" + directory / 10 + "/part-" + directory + "/file-" + file + ".so");
  }

  static CatalogEntry directory() {
    return CatalogEntry.directory(0755, 0, 0, TIME_SECONDS);
  }

  static CatalogEntry file(int number, int generation) {
    byte[] digest = new byte[HashAlgorithm.DIGEST_BYTES];
    ByteBuffer.wrap(digest).putInt(generation).putInt(number);
    return CatalogEntry.file(
        ContentHash.of(HashAlgorithm.SHA1, digest), 20_000 + number, 0644, TIME_SECONDS);
  }
}
