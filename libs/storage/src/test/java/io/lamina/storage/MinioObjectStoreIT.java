package io.lamina.storage;

import io.minio.MakeBucketArgs;
import io.minio.MinioClient;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.ContainerFetchException;
import org.testcontainers.containers.ContainerLaunchException;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;

/** The contract on MinIO; needs a Docker engine that can pull its image. */
@Tag("docker")
@SuppressWarnings("NullAway.Init")
class MinioObjectStoreIT extends ObjectStoreContract {
  private static final String KEY = "minioadmin";
  private static final int PORT = 9000;
  private static final AtomicInteger BUCKETS = new AtomicInteger();
  private static @Nullable GenericContainer<?> minio;
  private static String reason = "";

  @TempDir Path folder;

  @BeforeAll
  static void startMinio() {
    if (!DockerClientFactory.instance().isDockerAvailable()) {
      skip("there is no Docker engine to run MinIO in");
      return;
    }
    GenericContainer<?> container =
        new GenericContainer<>(DockerImageName.parse("minio/minio:RELEASE.2025-04-22T22-12-26Z"))
            .withCommand("server", "/data")
            .withEnv("MINIO_ROOT_USER", KEY)
            .withEnv("MINIO_ROOT_PASSWORD", KEY)
            .withExposedPorts(PORT)
            .waitingFor(Wait.forHttp("/minio/health/ready").forPort(PORT));
    try {
      container.start();
      minio = container;
    } catch (ContainerLaunchException | ContainerFetchException e) {
      container.stop();
      skip("MinIO cannot be started: " + e.getMessage());
    }
  }

  private static void skip(String why) {
    reason = "skipped: " + why;
    System.out.println("MinioObjectStoreIT " + reason);
  }

  @AfterAll
  static void stopMinio() {
    if (minio != null) {
      minio.stop();
    }
  }

  @Override
  ObjectStore openEmpty() throws Exception {
    Assumptions.assumeTrue(minio != null, reason);
    GenericContainer<?> running = java.util.Objects.requireNonNull(minio);
    URI endpoint = URI.create("http://" + running.getHost() + ":" + running.getMappedPort(PORT));
    String bucket = "bucket-" + BUCKETS.incrementAndGet();
    try (MinioClient client =
        MinioClient.builder().endpoint(endpoint.toString()).credentials(KEY, KEY).build()) {
      client.makeBucket(MakeBucketArgs.builder().bucket(bucket).build());
    }
    Path credentials =
        Files.writeString(
            folder.resolve("credentials"), "access-key=" + KEY + "\nsecret-key=" + KEY);
    return S3ObjectStore.open(
        new StorageLocation.S3(
            endpoint,
            bucket,
            "site/a",
            "us-east-1",
            Optional.of(credentials),
            StorageLocation.Style.PATH),
        S3ObjectStore.Settings.STANDARD,
        HeaderPolicy.cvmfs(),
        Clock.systemUTC(),
        new Random(7));
  }
}
