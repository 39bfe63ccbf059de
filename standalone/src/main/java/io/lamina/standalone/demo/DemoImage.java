package io.lamina.standalone.demo;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.Digest;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.Deflater;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream;
import org.apache.commons.compress.compressors.gzip.GzipParameters;

/**
 * A real image in OCI layout, made of files that every machine with this program has: the running
 * JDK in layers as a distribution would cut them, shared data of the machine, and a top layer that
 * changes and removes some of it. The same machine gives the same digests. One use, one thread.
 */
public final class DemoImage {
  /** Of the machine's shared files, take no more than this. */
  private static final long SHARED_BYTES_BOUND = 256L << 20;

  private static final int SHARED_FILES_BOUND = 40_000;
  private static final String CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
  private static final String MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
  private static final String LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip";

  private final Path layout;
  private final List<ObjectNode> layers = new ArrayList<>();
  private final List<String> diffIds = new ArrayList<>();

  private DemoImage(Path layout) {
    this.layout = layout;
  }

  /**
   * Writes the layout, unless a finished one is there.
   *
   * @return whether it had to be written
   */
  public static boolean write(Path layout, Path javaHome) throws IOException {
    if (Files.exists(layout.resolve("index.json"))) {
      return false;
    }
    new DemoImage(layout).writeAll(javaHome.toRealPath());
    return true;
  }

  private void writeAll(Path javaHome) throws IOException {
    Files.createDirectories(layout.resolve("blobs/sha256"));
    layer(
        tar -> {
          for (String name : List.of("bin", "conf", "legal", "release")) {
            copy(javaHome.resolve(name), "opt/java/" + name, tar, new Bound());
          }
        });
    layer(tar -> copy(javaHome.resolve("lib"), "opt/java/lib", tar, new Bound()));
    layer(
        tar ->
            copy(
                Path.of("/usr/share"),
                "usr/share",
                tar,
                new Bound(SHARED_FILES_BOUND, SHARED_BYTES_BOUND)));
    layer(
        tar -> {
          text(tar, "opt/java/conf/.wh.net.properties", "");
          text(tar, "etc/motd", "Served file by file from CernVM-FS.\n");
          link(tar, "usr/local/bin/java", "../../../opt/java/bin/java");
        });

    byte[] config = config().toString().getBytes(StandardCharsets.UTF_8);
    ObjectNode manifest = JsonNodeFactory.instance.objectNode();
    manifest.put("schemaVersion", 2).put("mediaType", MANIFEST_TYPE);
    manifest.set("config", descriptor(CONFIG_TYPE, blob(config), config.length));
    ArrayNode list = manifest.putArray("layers");
    layers.forEach(list::add);
    byte[] manifestBytes = manifest.toString().getBytes(StandardCharsets.UTF_8);

    ObjectNode index = JsonNodeFactory.instance.objectNode();
    index.put("schemaVersion", 2);
    ObjectNode entry = descriptor(MANIFEST_TYPE, blob(manifestBytes), manifestBytes.length);
    entry.putObject("annotations").put("org.opencontainers.image.ref.name", "latest");
    index.putArray("manifests").add(entry);
    Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    Path unfinished = layout.resolve("index.json.tmp");
    Files.writeString(unfinished, index.toString());
    Files.move(unfinished, layout.resolve("index.json"), StandardCopyOption.ATOMIC_MOVE);
  }

  private ObjectNode config() {
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("architecture", architecture()).put("os", "linux");
    ObjectNode run = config.putObject("config");
    run.putArray("Env")
        .add("PATH=/usr/local/bin:/opt/java/bin:/usr/bin:/bin")
        .add("JAVA_HOME=/opt/java");
    run.putArray("Entrypoint").add("/opt/java/bin/java");
    run.putArray("Cmd").add("-version");
    ObjectNode rootfs = config.putObject("rootfs").put("type", "layers");
    ArrayNode ids = rootfs.putArray("diff_ids");
    diffIds.forEach(ids::add);
    return config;
  }

  /** The running JVM's architecture, as OCI names it. */
  public static String architecture() {
    String name = System.getProperty("os.arch");
    return name.equals("aarch64") ? "arm64" : name;
  }

  private interface LayerContent {
    void writeTo(TarArchiveOutputStream tar) throws IOException;
  }

  private void layer(LayerContent content) throws IOException {
    Path unfinished = Files.createTempFile(layout, "layer", ".tmp");
    MessageDigest blobDigest = sha256();
    MessageDigest diffDigest = sha256();
    GzipParameters gzip = new GzipParameters();
    gzip.setCompressionLevel(Deflater.BEST_SPEED);
    gzip.setBufferSize(1 << 16);
    try (OutputStream file = new BufferedOutputStream(Files.newOutputStream(unfinished), 1 << 16);
        OutputStream packed =
            new GzipCompressorOutputStream(new DigestOutputStream(file, blobDigest), gzip);
        OutputStream plain =
            new BufferedOutputStream(new DigestOutputStream(packed, diffDigest), 1 << 16);
        TarArchiveOutputStream tar =
            new TarArchiveOutputStream(plain, StandardCharsets.UTF_8.name())) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
      content.writeTo(tar);
    }
    Digest digest = Digest.ofBytes(blobDigest.digest());
    long size = Files.size(unfinished);
    Files.move(unfinished, blobPath(digest), StandardCopyOption.ATOMIC_MOVE);
    layers.add(descriptor(LAYER_TYPE, digest, size));
    diffIds.add(Digest.ofBytes(diffDigest.digest()).toString());
  }

  /** How much of a folder still goes in. */
  private static final class Bound {
    private int files;
    private long bytes;

    Bound() {
      this(Integer.MAX_VALUE, Long.MAX_VALUE);
    }

    Bound(int files, long bytes) {
      this.files = files;
      this.bytes = bytes;
    }

    boolean take(long size) {
      if (files < 1 || bytes < size) {
        return false;
      }
      files--;
      bytes -= size;
      return true;
    }
  }

  private static void copy(Path source, String target, TarArchiveOutputStream tar, Bound bound)
      throws IOException {
    List<Path> found = new ArrayList<>();
    if (!Files.exists(source)) {
      return;
    }
    Files.walkFileTree(
        source,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            found.add(folder);
            return Files.isReadable(folder)
                ? FileVisitResult.CONTINUE
                : FileVisitResult.SKIP_SUBTREE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            found.add(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException failure) {
            return FileVisitResult.CONTINUE;
          }
        });
    found.sort(null);
    for (Path path : found) {
      entry(
          path, path.equals(source) ? target : target + "/" + source.relativize(path), tar, bound);
    }
  }

  private static void entry(Path path, String name, TarArchiveOutputStream tar, Bound bound)
      throws IOException {
    PosixFileAttributes attributes =
        Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    TarArchiveEntry entry;
    if (attributes.isDirectory()) {
      entry = new TarArchiveEntry(name + "/");
    } else if (attributes.isSymbolicLink()) {
      entry = new TarArchiveEntry(name, TarConstants.LF_SYMLINK);
      entry.setLinkName(Files.readSymbolicLink(path).toString());
    } else if (attributes.isRegularFile()
        && Files.isReadable(path)
        && bound.take(attributes.size())) {
      entry = new TarArchiveEntry(name);
      entry.setSize(attributes.size());
    } else {
      return;
    }
    entry.setMode((entry.getMode() & ~0777) | permissions(attributes));
    entry.setModTime(attributes.lastModifiedTime().toMillis() / 1000 * 1000);
    entry.setIds(0, 0);
    tar.putArchiveEntry(entry);
    if (attributes.isRegularFile()) {
      Files.copy(path, tar);
    }
    tar.closeArchiveEntry();
  }

  private static int permissions(PosixFileAttributes attributes) {
    int bits = 0;
    for (PosixFilePermission permission : attributes.permissions()) {
      bits |= 0400 >> permission.ordinal();
    }
    return bits;
  }

  private static void text(TarArchiveOutputStream tar, String name, String content)
      throws IOException {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setSize(bytes.length);
    entry.setModTime(0);
    tar.putArchiveEntry(entry);
    tar.write(bytes);
    tar.closeArchiveEntry();
  }

  private static void link(TarArchiveOutputStream tar, String name, String target)
      throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name, TarConstants.LF_SYMLINK);
    entry.setLinkName(target);
    entry.setModTime(0);
    tar.putArchiveEntry(entry);
    tar.closeArchiveEntry();
  }

  private static ObjectNode descriptor(String mediaType, Digest digest, long size) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("mediaType", mediaType)
        .put("digest", digest.toString())
        .put("size", size);
  }

  private Digest blob(byte[] bytes) throws IOException {
    Digest digest = Digest.ofBytes(sha256().digest(bytes));
    Files.write(blobPath(digest), bytes);
    return digest;
  }

  private Path blobPath(Digest digest) {
    return layout.resolve("blobs/sha256").resolve(digest.hex());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }
}
