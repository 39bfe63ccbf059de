package io.lamina.storage.testing;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.apache.commons.io.file.PathUtils;
import org.gaul.s3proxy.BlobStores;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.blobstore.BlobStore;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A real S3 service in this JVM (S3Proxy), over a temporary folder, while a test class runs. */
@SuppressWarnings("NullAway.Init")
public final class S3Service implements BeforeAllCallback, AfterAllCallback {
  public static final String ACCESS_KEY = "test-access";
  public static final String SECRET_KEY = "test-secret";

  private Path folder;
  private BlobStore blobs;
  private S3Proxy proxy;
  private int port;

  @Override
  public void beforeAll(ExtensionContext context) throws Exception {
    folder = Files.createTempDirectory("lamina-s3proxy");
    Properties properties = new Properties();
    properties.setProperty("jclouds.filesystem.basedir", folder.toString());
    blobs = BlobStores.create("filesystem-nio2", properties);
    proxy = start(0);
    port = proxy.getPort();
  }

  private S3Proxy start(int port) throws Exception {
    S3Proxy started =
        S3Proxy.builder()
            .blobStore(blobs)
            .endpoint(URI.create("http://127.0.0.1:" + port))
            .awsAuthentication(AuthenticationType.AWS_V4, ACCESS_KEY, SECRET_KEY)
            .maxSinglePartObjectSize(5L << 30)
            .v4MaxNonChunkedRequestSize(1L << 30)
            .jettyMaxThreads(64)
            .build();
    started.start();
    return started;
  }

  public int port() {
    return port;
  }

  public void makeBucket(String name) throws IOException {
    Files.createDirectories(bucket(name));
  }

  /** Where the service keeps a bucket: a file for each object. */
  public Path bucket(String name) {
    return folder.resolve(name);
  }

  /**
   * What a repository's definition says of a part of a bucket.
   *
   * @param credentials absolute; written here
   */
  public String location(String bucket, String prefix, Path credentials) throws IOException {
    return location(port(), bucket, prefix, credentials);
  }

  /** The same, reached at another port of this machine. */
  public String location(int behind, String bucket, String prefix, Path credentials)
      throws IOException {
    Files.writeString(
        credentials, "access-key=" + ACCESS_KEY + "\nsecret-key=" + SECRET_KEY + "\n");
    return "s3:http://127.0.0.1:%d/%s/%s?credentials=%s"
        .formatted(behind, bucket, prefix, credentials);
  }

  /** The service is gone until {@link #comeBack}; what it holds stays. */
  public void goAway() throws Exception {
    proxy.stop();
  }

  /** At the same address. */
  public void comeBack() throws Exception {
    proxy = start(port);
  }

  @Override
  public void afterAll(ExtensionContext context) throws Exception {
    proxy.stop();
    PathUtils.delete(folder);
  }
}
