package io.lamina.node.docker;

import io.lamina.client.TestRepository;
import io.lamina.client.TestServer;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Xattrs;
import io.lamina.cvmfs.tree.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A repository on a server, with two layers: a shell with more than it needs, and one that takes
 * away and adds.
 */
final class ThinRepository implements AutoCloseable {
  static final String NAME = "thin.lamina.test";
  static final int LARGE_BYTES = 3 << 20;

  private final TestRepository repository = new TestRepository(NAME);
  private final TestServer server = new TestServer(repository.files());

  ThinRepository() throws IOException {
    FileTree base = TestRepository.tree();
    put(base, "bin/busybox", repository.file(Files.readAllBytes(Path.of("/bin/busybox")), 0755));
    for (String applet : List.of("sh", "ls", "cat", "wc", "sleep", "rm", "true")) {
      put(base, "bin/" + applet, CatalogEntry.symlink("busybox".getBytes(), TestRepository.TIME));
    }
    put(base, "etc/kept", repository.file("kept\n"));
    put(base, "etc/gone", repository.file("gone\n"));
    put(base, "opaque/hidden", repository.file("hidden\n"));
    put(base, "large", repository.file(new byte[LARGE_BYTES], 0644));
    FileTree top = TestRepository.tree();
    put(
        top,
        "etc/gone",
        TestRepository.entry(CatalogEntry.CHARACTER_DEVICE, 0, Xattrs.NONE, List.of()));
    put(top, "etc/added", repository.file("added\n"));
    repository.with("base", base).with("top", top).publish();
  }

  private static void put(FileTree tree, String path, CatalogEntry entry) {
    tree.put(RepositoryPath.of("/" + path), entry);
  }

  TestServer server() {
    return server;
  }

  /** Writes the public key. */
  Path key(Path file) throws IOException {
    return repository.writeKey(file);
  }

  /** An archive for {@code docker load}. */
  static byte[] image(String tag, String... directories) {
    StringBuilder layers = new StringBuilder();
    for (String directory : directories) {
      layers
          .append(layers.isEmpty() ? "" : ",")
          .append("{\"url\":\"cvmfs://" + NAME + "/" + directory + "\"}");
    }
    return ImageArchive.of(
        tag,
        List.of(
            new TarArchive()
                .file("thin.json", 0644, "{\"version\":\"1.0\",\"layers\":[" + layers + "]}")
                .toBytes()));
  }

  @Override
  public void close() {
    server.close();
  }
}
