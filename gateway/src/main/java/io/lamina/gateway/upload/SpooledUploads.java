package io.lamina.gateway.upload;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.storage.Content;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.UploadArea;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Writes an upload to a local file while hashing it, and puts it into the repository's storage only
 * when it is proven right, so the storage never sees an unverified byte. Thread-safe.
 */
public final class SpooledUploads implements LayerUploads {
  private static final String PREFIX = "upload-";
  private static final int BUFFER_BYTES = 64 << 10;
  private static final Duration LEFTOVER_AGE = Duration.ofDays(1);

  private final RepositoryStores stores;
  private final Path spool;

  /**
   * @param spool made if it is missing; leftovers older than a day are removed, younger ones may be
   *     another process's
   * @throws GatewayException.Fatal if it cannot be used
   */
  public SpooledUploads(RepositoryStores stores, Path spool, Clock clock) {
    this.stores = stores;
    this.spool = spool;
    Instant oldest = clock.instant().minus(LEFTOVER_AGE);
    try {
      Files.createDirectories(spool);
      try (DirectoryStream<Path> leftovers = Files.newDirectoryStream(spool, PREFIX + "*")) {
        for (Path leftover : leftovers) {
          if (Files.getLastModifiedTime(leftover).toInstant().isBefore(oldest)) {
            Files.deleteIfExists(leftover);
          }
        }
      }
    } catch (IOException e) {
      throw new GatewayException.Fatal(
          "cannot use the uploads folder " + spool + " (gateway.uploads.folder): " + e, e);
    }
  }

  @Override
  public boolean store(RepositoryName repository, Descriptor layer, InputStream body)
      throws IOException {
    ObjectStore store = storeOf(repository);
    ObjectKey key = UploadArea.keyOf(layer.digest().hex());
    Optional<ObjectStore.Stat> present = store.head(key);
    if (present.isPresent() && present.get().sizeBytes() == layer.sizeBytes()) {
      // Verified when it was stored; the body is read all the same, so that it can be answered.
      body.transferTo(OutputStream.nullOutputStream());
      return false;
    }
    Path file = Files.createTempFile(spool, PREFIX, ".part");
    try {
      Digest digest = spool(body, file, layer);
      if (!digest.equals(layer.digest())) {
        throw new GatewayException.Refused(
            ProblemType.DIGEST_MISMATCH,
            "the body's digest is " + digest + ", not " + layer.digest() + "; nothing was stored");
      }
      boolean stored = store.putIfAbsent(key, Content.of(file)) == ObjectStore.PutOutcome.STORED;
      store.flush();
      return stored;
    } finally {
      Files.deleteIfExists(file);
    }
  }

  @Override
  public OptionalLong find(RepositoryName repository, Digest digest) {
    return storeOf(repository)
        .head(UploadArea.keyOf(digest.hex()))
        .map(stat -> OptionalLong.of(stat.sizeBytes()))
        .orElseGet(OptionalLong::empty);
  }

  private ObjectStore storeOf(RepositoryName repository) {
    return stores
        .storeOf(repository)
        .orElseThrow(
            () ->
                new GatewayException.Refused(
                    ProblemType.NOT_FOUND,
                    "this gateway has no storage of a repository '"
                        + repository
                        + "'; check the name, or create it with 'lamina repo create "
                        + repository
                        + "'"));
  }

  private static Digest spool(InputStream body, Path file, Descriptor layer) throws IOException {
    MessageDigest sha256 = sha256();
    long sizeBytes = 0;
    try (OutputStream out = Files.newOutputStream(file)) {
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
        sizeBytes += n;
        if (sizeBytes > layer.sizeBytes()) {
          break;
        }
        sha256.update(buffer, 0, n);
        write(out, buffer, n);
      }
    }
    if (sizeBytes != layer.sizeBytes()) {
      throw new GatewayException.Refused(
          ProblemType.DIGEST_MISMATCH,
          "the body of "
              + layer.digest()
              + " has "
              + (sizeBytes > layer.sizeBytes() ? "more" : "only " + sizeBytes)
              + " of the "
              + layer.sizeBytes()
              + " bytes that were announced; nothing was stored");
    }
    return Digest.ofBytes(sha256.digest());
  }

  /** A failure here is this host's, not the sender's. */
  private static void write(OutputStream out, byte[] buffer, int length) {
    try {
      out.write(buffer, 0, length);
    } catch (IOException e) {
      throw new GatewayException.Refused(
          ProblemType.NO_ROOM,
          "the gateway cannot keep the upload for verification; its operator must look at"
              + " gateway.uploads.folder");
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }
}
