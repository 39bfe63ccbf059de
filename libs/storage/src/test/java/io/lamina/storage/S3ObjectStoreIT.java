package io.lamina.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.storage.ObjectStore.PutOutcome;
import io.lamina.storage.ObjectStore.Version;
import io.lamina.storage.testing.FaultyProxy;
import io.lamina.storage.testing.S3Service;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class S3ObjectStoreIT extends ObjectStoreContract {
  @RegisterExtension static final S3Service S3 = new S3Service();

  private static final AtomicInteger BUCKETS = new AtomicInteger();
  private static final S3ObjectStore.Settings QUICK =
      new S3ObjectStore.Settings(
          32,
          3,
          Duration.ofMillis(5),
          Duration.ofSeconds(5),
          Duration.ofSeconds(10),
          Duration.ofMillis(300));

  @TempDir Path folder;
  private FaultyProxy faults;
  private String bucket;

  @Override
  ObjectStore openEmpty() throws IOException {
    bucket = "bucket-" + BUCKETS.incrementAndGet();
    S3.makeBucket(bucket);
    faults = new FaultyProxy(S3.port());
    return open(faults.port(), S3Service.SECRET_KEY, QUICK);
  }

  @AfterEach
  void closeProxy() throws IOException {
    faults.close();
  }

  private S3ObjectStore open(int port, String secret, S3ObjectStore.Settings settings)
      throws IOException {
    return open(port, secret, settings, Clock.systemUTC());
  }

  private S3ObjectStore open(int port, String secret, S3ObjectStore.Settings settings, Clock clock)
      throws IOException {
    Path credentials =
        Files.writeString(
            folder.resolve("credentials"),
            "# for tests\naccess-key = " + S3Service.ACCESS_KEY + "\nsecret-key=" + secret);
    StorageLocation.S3 location =
        new StorageLocation.S3(
            URI.create("http://127.0.0.1:" + port),
            bucket,
            "site/a",
            "us-east-1",
            Optional.of(credentials),
            StorageLocation.Style.PATH);
    return S3ObjectStore.open(location, settings, HeaderPolicy.cvmfs(), clock, new Random(7));
  }

  private static final int PART_BYTES = 5 << 20;
  private static final ObjectKey LARGE = new ObjectKey("uploads/ab/large");

  private S3ObjectStore parted() {
    return (S3ObjectStore) store;
  }

  private Path large(int seed) throws IOException {
    byte[] bytes = new byte[3 * PART_BYTES + 7];
    new Random(seed).nextBytes(bytes);
    return Files.write(folder.resolve("large-" + seed), bytes);
  }

  /** Stores it, or as much as it may; returns how many parts it asked to send. */
  private static int inParts(S3ObjectStore store, Path file, int allowed) throws IOException {
    AtomicInteger asked = new AtomicInteger();
    try {
      store.putInParts(
          LARGE, file, Files.size(file), PART_BYTES, () -> asked.incrementAndGet() <= allowed);
    } catch (StorageException.Retryable e) {
      assertThat(e).hasMessageContaining("the next attempt goes on");
    }
    return asked.get();
  }

  @Test
  void goesOnWithTheFirstPartThatIsMissing() throws IOException {
    try (S3ObjectStore second = open(S3.port(), S3Service.SECRET_KEY, QUICK)) {
      Path file = large(1);

      assertThat(inParts(parted(), file, 2)).isEqualTo(3);
      assertThat(second.head(LARGE)).isEmpty();
      assertThat(inParts(second, file, 10)).isEqualTo(2);
      assertThat(inParts(second, file, 10)).isZero();

      assertThat(second.read(LARGE, 20 << 20)).isEqualTo(Files.readAllBytes(file));
    }
  }

  @Test
  void sendsPartsAgainThatHaveOtherBytes() throws IOException {
    inParts(parted(), large(1), 3);

    assertThat(inParts(parted(), large(2), 10)).isEqualTo(4);

    assertThat(store.read(LARGE, 20 << 20)).isEqualTo(Files.readAllBytes(large(2)));
  }

  @Test
  void dropsPartsThatNobodyWentOnWithForAWeek() throws IOException {
    Path file = large(1);
    inParts(parted(), file, 2);

    dropForgottenParts("uploads/", 6);
    assertThat(inParts(parted(), file, 1)).isEqualTo(2);
    dropForgottenParts("other/", 8);
    assertThat(inParts(parted(), file, 0)).isEqualTo(1);
    dropForgottenParts("uploads/", 8);
    assertThat(inParts(parted(), file, 10)).isEqualTo(4);
  }

  private void dropForgottenParts(String prefix, int daysLater) throws IOException {
    Clock later = Clock.offset(Clock.systemUTC(), Duration.ofDays(daysLater));
    try (S3ObjectStore then = open(faults.port(), S3Service.SECRET_KEY, QUICK, later)) {
      then.dropForgottenParts(prefix);
    }
  }

  private static final ObjectKey OLD = new ObjectKey("data/ab/old");
  private static final byte[] CONTENT = new byte[] {1, 2, 3};

  /** An object that nobody has asked for in ten days. */
  private void storeOld() throws IOException {
    store.putIfAbsent(OLD, Content.of(CONTENT));
    Files.setLastModifiedTime(
        S3.bucket(bucket).resolve("site/a/" + OLD.value()),
        FileTime.from(Instant.now().minus(Duration.ofDays(10))));
    assertThat(store.head(OLD).orElseThrow().modifiedSeconds()).isLessThan(daysAgo(9));
  }

  private static long daysAgo(int days) {
    return Instant.now().minus(Duration.ofDays(days)).getEpochSecond();
  }

  @Test
  void keepsAnOldObjectFromASweepOnceAWriterHasFoundIt() throws IOException {
    storeOld();

    assertThat(store.putIfAbsent(OLD, Content.of(CONTENT))).isEqualTo(PutOutcome.ALREADY_PRESENT);
    assertThat(store.deleteIfOlder(OLD, daysAgo(2))).isFalse();
    store.flush();
    assertThat(store.read(OLD, 100)).isEqualTo(CONTENT);
  }

  @Test
  void looksAgainAtWhatItFoundOldWhileASweepRuns() throws IOException {
    storeOld();
    store.swap(ObjectStore.SWEEP_MARK, Optional.empty(), new byte[] {1});

    store.putIfAbsent(OLD, Content.of(CONTENT));
    // By a sweep that had looked before.
    Files.delete(S3.bucket(bucket).resolve("site/a/" + OLD.value()));
    assertThatThrownBy(store::flush)
        .isInstanceOf(StorageException.Retryable.class)
        .hasMessageContaining(OLD.value())
        .hasMessageContaining("stored again");
    assertThat(store.putIfAbsent(OLD, Content.of(CONTENT))).isEqualTo(PutOutcome.STORED);
    store.flush();
    assertThat(store.read(OLD, 100)).isEqualTo(CONTENT);
  }

  @Test
  void waitsForASweepOnlyIfThereIsOne() throws IOException {
    S3ObjectStore.Settings slow =
        new S3ObjectStore.Settings(
            4,
            1,
            Duration.ZERO,
            QUICK.connectTimeout(),
            QUICK.transferTimeout(),
            Duration.ofDays(1));
    storeOld();
    try (S3ObjectStore patient = open(faults.port(), S3Service.SECRET_KEY, slow)) {
      patient.putIfAbsent(OLD, Content.of(CONTENT));

      patient.flush(); // a day later, if it waited
      assertThat(patient.read(OLD, 100)).isEqualTo(CONTENT);
    }
  }

  @Test
  void refusesMorePartsThanAServiceTakes() throws IOException {
    Path file = large(1);

    assertThatThrownBy(() -> parted().putInParts(LARGE, file, Files.size(file), 100, () -> true))
        .isInstanceOf(StorageException.Rejected.class)
        .hasMessageContaining("too many");
  }

  @Test
  void storesTheObjectAgainWhenTheConnectionIsCutMidway() {
    byte[] bytes = random(3 << 20, 9);
    faults.cutPuts(2, 1 << 20);

    assertThat(store.putIfAbsent(key("data/ab/cut"), Content.of(bytes)))
        .isEqualTo(PutOutcome.STORED);

    assertThat(store.read(key("data/ab/cut"), 4 << 20)).isEqualTo(bytes);
  }

  @Test
  void leavesNothingWhenEveryAttemptIsCutMidway() {
    faults.cutPuts(QUICK.attempts(), 1 << 20);

    assertThatThrownBy(() -> store.putIfAbsent(key("data/ab/cut"), Content.of(random(3 << 20, 9))))
        .isInstanceOf(StorageException.Retryable.class)
        .hasMessageContaining("data/ab/cut");

    assertThat(listed("")).isEmpty();
  }

  @Test
  void countsAnObjectAsThereWhenOnlyTheReplyWasLost() {
    faults.loseRepliesToPuts(1);

    store.putIfAbsent(key("data/ab/lost"), Content.of(bytes("x")));

    assertThat(store.read(key("data/ab/lost"), 10)).isEqualTo(bytes("x"));
  }

  @Test
  void recognisesItsOwnSwapWhenTheReplyWasLost() {
    Version first = store.swap(key(".cvmfspublished"), Optional.empty(), bytes("one"));
    faults.loseRepliesToPuts(1);

    Version second = store.swap(key(".cvmfspublished"), Optional.of(first), bytes("two"));

    assertThat(store.readMutable(key(".cvmfspublished"), 10))
        .hasValueSatisfying(
            found -> {
              assertThat(found.bytes()).isEqualTo(bytes("two"));
              assertThat(found.version()).isEqualTo(second);
            });
  }

  @Test
  void recognisesItsOwnSwapWhenEveryReplyWasLost() {
    faults.loseRepliesToPuts(QUICK.attempts());

    Version version = store.swap(key("m"), Optional.empty(), bytes("one"));

    assertThat(store.readMutable(key("m"), 10).orElseThrow().version()).isEqualTo(version);
  }

  @Test
  void neverTakesSomebodyElsesSwapForItsOwn() throws IOException {
    Version first = store.swap(key("m"), Optional.empty(), bytes("one"));
    try (S3ObjectStore other = open(S3.port(), S3Service.SECRET_KEY, QUICK)) {
      other.swap(key("m"), Optional.of(first), bytes("other"));
    }
    faults.cutPuts(1, 10);

    assertThatThrownBy(() -> store.swap(key("m"), Optional.of(first), bytes("two")))
        .isInstanceOf(StorageException.OutcomeUnknown.class)
        .hasMessageContaining("read it again");
    assertThat(store.read(key("m"), 10)).isEqualTo(bytes("other"));
  }

  @Test
  void swapsAgainWhenTheRequestNeverArrived() {
    faults.cutPuts(1, 10);

    store.swap(key("m"), Optional.empty(), bytes("one"));

    assertThat(store.read(key("m"), 10)).isEqualTo(bytes("one"));
  }

  @Test
  void saysThatCredentialsAreWrong() throws IOException {
    try (S3ObjectStore wrong = open(S3.port(), "nonsense", QUICK)) {
      assertThatThrownBy(() -> wrong.putIfAbsent(key("x"), Content.of(bytes("x"))))
          .isInstanceOf(StorageException.Rejected.class)
          .hasMessageContaining("credentials")
          .hasMessageNotContaining("nonsense");
    }
  }

  @Test
  void saysThatTheBucketIsMissing() throws IOException {
    bucket = "no-such-bucket";
    try (S3ObjectStore wrong = open(S3.port(), S3Service.SECRET_KEY, QUICK)) {
      assertThatThrownBy(() -> wrong.putIfAbsent(key("x"), Content.of(bytes("x"))))
          .isInstanceOf(StorageException.Rejected.class)
          .hasMessageContaining("bucket");
    }
  }

  @Test
  void saysThatTheServiceIsOutOfReach() throws IOException {
    int port = faults.port();
    faults.close();
    try (S3ObjectStore away = open(port, S3Service.SECRET_KEY, QUICK)) {
      assertThatThrownBy(() -> away.read(key("x"), 1))
          .isInstanceOf(StorageException.Retryable.class);
    }
  }

  @Test
  void refusesACredentialsFileWithoutShowingIt() throws IOException {
    Path file = Files.writeString(folder.resolve("bad"), "AKIA:topsecret\n");

    assertThatThrownBy(() -> S3Credentials.read(file))
        .isInstanceOf(StorageException.Rejected.class)
        .hasMessageContaining("access-key=")
        .hasMessageNotContaining("topsecret");
    Files.writeString(file, "access-key=a\n");
    assertThatThrownBy(() -> S3Credentials.read(file)).hasMessageContaining("no secret-key");
    assertThat(new S3Credentials("a", "topsecret", Optional.empty()).toString())
        .doesNotContain("topsecret");
  }

  @Test
  void storesFilesWithTheHeadersThatClientsExpect() throws Exception {
    store.putIfAbsent(key("data/ab/object"), Content.of(bytes("x")));
    store.swap(key(".cvmfspublished"), Optional.empty(), bytes("y"));

    StatHeaders object = stat("data/ab/object");
    StatHeaders manifest = stat(".cvmfspublished");

    assertThat(object.type()).isEqualTo("application/octet-stream");
    assertThat(object.cache()).isEqualTo("max-age=259200");
    assertThat(manifest.type()).isEqualTo("application/x-cvmfs");
    assertThat(manifest.cache()).isEqualTo("max-age=61");
  }

  private record StatHeaders(String type, String cache) {}

  /** As a browser would see it, through a presigned link. */
  private StatHeaders stat(String name) throws Exception {
    String url =
        io.minio.MinioClient.builder()
            .endpoint("http://127.0.0.1:" + S3.port())
            .region("us-east-1")
            .credentials(S3Service.ACCESS_KEY, S3Service.SECRET_KEY)
            .build()
            .getPresignedObjectUrl(
                io.minio.GetPresignedObjectUrlArgs.builder()
                    .bucket(bucket)
                    .object("site/a/" + name)
                    .method(io.minio.Http.Method.GET)
                    .build());
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpResponse<Void> response =
          http.send(
              HttpRequest.newBuilder(URI.create(url)).build(),
              HttpResponse.BodyHandlers.discarding());
      return new StatHeaders(
          response.headers().firstValue("Content-Type").orElse(""),
          response.headers().firstValue("Cache-Control").orElse(""));
    }
  }
}
