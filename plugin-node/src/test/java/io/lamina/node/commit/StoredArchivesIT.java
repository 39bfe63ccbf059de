package io.lamina.node.commit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.manifest.MediaTypes;
import io.lamina.storage.HeaderPolicy;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.S3ObjectStore;
import io.lamina.storage.StorageException;
import io.lamina.storage.StorageLocation;
import io.lamina.storage.UploadArea;
import io.lamina.storage.testing.S3Service;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Archives that go to a bucket, over real requests. */
@SuppressWarnings("NullAway.Init")
@Timeout(240)
class StoredArchivesIT {
  @RegisterExtension static final S3Service S3 = new S3Service();

  private static final RepositoryName REPOSITORY = new RepositoryName("images.example.org");

  /** The least that a service takes. */
  private static final int PART_BYTES = 5 << 20;

  private static final byte[] CONTENT = "an archive".getBytes(StandardCharsets.UTF_8);
  private static final Descriptor ARCHIVE =
      new Descriptor(MediaTypes.OCI_LAYER_PLAIN, Digest.sha256(CONTENT), CONTENT.length);

  @TempDir Path folder;

  private Path file;
  private String location;

  @BeforeEach
  void start() throws Exception {
    file = Files.write(folder.resolve("archive.tar"), CONTENT);
    S3.makeBucket("commits");
    location = S3.location("commits", "repositories/@fqrn@", folder.resolve("credentials"));
  }

  private void put(String where) throws Exception {
    new StoredArchives(where, Clock.systemUTC(), new Random(1))
        .put(REPOSITORY, ARCHIVE, file, Duration.ofSeconds(60));
  }

  /** As the repository's own definition names its storage. */
  private byte[] stored() {
    try (ObjectStore store = open()) {
      return store.read(UploadArea.keyOf(ARCHIVE.digest().hex()), 1000);
    }
  }

  private ObjectStore open() {
    return S3ObjectStore.open(
        (StorageLocation.S3) StorageLocation.parse(location.replace("@fqrn@", REPOSITORY.value())),
        S3ObjectStore.Settings.STANDARD,
        HeaderPolicy.cvmfs(),
        Clock.systemUTC(),
        new Random(2));
  }

  @Test
  void storesAnArchiveWhereConvertersLookForIt() throws Exception {
    put(location);
    put(location);

    assertThat(stored()).isEqualTo(CONTENT);
  }

  @Test
  void saysThatTheStoreIsAwayAndSucceedsWhenItIsBack() throws Exception {
    S3.goAway();
    try {
      assertThatThrownBy(() -> put(location))
          .isInstanceOf(LayerArchives.Away.class)
          .hasMessageContaining("cannot be reached");
    } finally {
      S3.comeBack();
    }

    put(location);

    assertThat(stored()).isEqualTo(CONTENT);
  }

  @Test
  void goesOnWithALongArchiveWhereTheLastAttemptEnded() throws Exception {
    byte[] content = new byte[2 * PART_BYTES + 5];
    new Random(3).nextBytes(content);
    Path large = Files.write(folder.resolve("large.tar"), content);
    Descriptor archive =
        new Descriptor(MediaTypes.OCI_LAYER_PLAIN, Digest.sha256(content), content.length);
    StoredArchives archives =
        new StoredArchives(location, Clock.systemUTC(), new Random(1), PART_BYTES);

    assertThatThrownBy(() -> archives.put(REPOSITORY, archive, large, Duration.ZERO))
        .isInstanceOf(LayerArchives.Away.class)
        .hasMessageContaining("part 1")
        .hasMessageContaining("the next attempt goes on");
    archives.put(REPOSITORY, archive, large, Duration.ofSeconds(60));
    archives.put(REPOSITORY, archive, large, Duration.ZERO);

    try (ObjectStore store = open()) {
      assertThat(store.read(UploadArea.keyOf(archive.digest().hex()), content.length))
          .isEqualTo(content);
    }
  }

  @Test
  void saysThatThereIsNoSuchBucket() {
    assertThatThrownBy(() -> put(location.replace("/commits/", "/nobody-made-this/")))
        .isInstanceOf(LayerArchives.Refused.class);
  }

  @Test
  void takesNothingButBuckets() {
    assertThatThrownBy(
            () -> new StoredArchives("local:/srv/@fqrn@", Clock.systemUTC(), new Random(1)))
        .isInstanceOf(StorageException.Rejected.class)
        .hasMessageContaining("s3:");
    assertThatThrownBy(() -> new StoredArchives("ftp://host", Clock.systemUTC(), new Random(1)))
        .isInstanceOf(StorageException.Rejected.class);
  }
}
