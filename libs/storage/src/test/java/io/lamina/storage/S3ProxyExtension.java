package io.lamina.storage;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Properties;
import org.gaul.s3proxy.BlobStores;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.blobstore.BlobStore;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A real S3 service in this JVM, over a temporary folder. */
@SuppressWarnings("NullAway.Init")
final class S3ProxyExtension implements BeforeAllCallback, AfterAllCallback {
  static final String ACCESS_KEY = "test-access";
  static final String SECRET_KEY = "test-secret";

  private Path folder;
  private BlobStore blobs;
  private S3Proxy proxy;

  @Override
  public void beforeAll(ExtensionContext context) throws Exception {
    folder = Files.createTempDirectory("lamina-s3proxy");
    Properties properties = new Properties();
    properties.setProperty("jclouds.filesystem.basedir", folder.toString());
    blobs = BlobStores.create("filesystem-nio2", properties);
    proxy =
        S3Proxy.builder()
            .blobStore(blobs)
            .endpoint(URI.create("http://127.0.0.1:0"))
            .awsAuthentication(AuthenticationType.AWS_V4, ACCESS_KEY, SECRET_KEY)
            .maxSinglePartObjectSize(5L << 30)
            .v4MaxNonChunkedRequestSize(1L << 30)
            .jettyMaxThreads(64)
            .build();
    proxy.start();
  }

  int port() {
    return proxy.getPort();
  }

  void makeBucket(String name) throws IOException {
    Files.createDirectories(folder.resolve(name));
  }

  @Override
  public void afterAll(ExtensionContext context) throws Exception {
    proxy.stop();
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, IOException failure)
              throws IOException {
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
