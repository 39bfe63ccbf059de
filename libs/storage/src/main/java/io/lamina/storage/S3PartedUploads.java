package io.lamina.storage;

import io.minio.AbortMultipartUploadArgs;
import io.minio.CompleteMultipartUploadArgs;
import io.minio.CreateMultipartUploadArgs;
import io.minio.Http;
import io.minio.ListMultipartUploadsArgs;
import io.minio.ListPartsArgs;
import io.minio.MinioAsyncClient;
import io.minio.UploadPartArgs;
import io.minio.messages.ListMultipartUploadsResult;
import io.minio.messages.ListPartsResult;
import io.minio.messages.Part;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores large files in parts, and goes on with what earlier attempts left. A part counts as sent
 * if the service tells the MD5 of the file's own bytes as its tag; where tags are made in another
 * way, every part is sent again. Thread-safe.
 *
 * <p>Source: docs/storage.md, "Large uploads".
 */
final class S3PartedUploads {
  /** The service's bound. */
  static final int MAX_PARTS = 10_000;

  /** What was begun and not gone on with for this long is thrown away. */
  static final Duration FORGOTTEN = Duration.ofDays(7);

  private static final Logger LOG = LoggerFactory.getLogger(S3PartedUploads.class);
  private static final int PAGE = 1000;

  /** Sends a request, with the repetitions and the failures of its store. */
  interface Requests {
    <T> T send(String attempted, S3ObjectStore.Call<T> call);
  }

  private final MinioAsyncClient client;
  private final String bucket;
  private final Requests requests;

  S3PartedUploads(MinioAsyncClient client, String bucket, Requests requests) {
    this.client = client;
    this.bucket = bucket;
    this.requests = requests;
  }

  /**
   * Sends what the service does not have; the object is there when this returns.
   *
   * @param name of the object in the bucket
   * @param partBytes of every part but the last; the service wants 5 MiB or more
   * @param sizeBytes of the file, which does not change meanwhile
   * @param goOn asked before each part
   * @throws StorageException.Retryable also if {@code goOn} says no; what was sent is kept
   */
  void send(String name, int partBytes, Path file, long sizeBytes, BooleanSupplier goOn)
      throws IOException {
    List<ListMultipartUploadsResult.Upload> begun =
        begun(name).stream().filter(each -> name.equals(each.objectName())).toList();
    Optional<String> earlier =
        begun.stream()
            .max(Comparator.comparing(S3PartedUploads::began))
            .map(ListMultipartUploadsResult.Upload::uploadId);
    Map<Integer, Part> there = earlier.map(id -> parts(name, id)).orElse(Map.of());
    String upload = earlier.orElseGet(() -> begin(name));
    List<Part> all = new ArrayList<>();
    try (InputStream in = Files.newInputStream(file)) {
      byte[] buffer = new byte[(int) Math.min(partBytes, sizeBytes)];
      for (long left = sizeBytes; left > 0; ) {
        int length = in.readNBytes(buffer, 0, (int) Math.min(buffer.length, left));
        if (length == 0) {
          throw new StorageException.Rejected(file + " has become shorter than " + sizeBytes);
        }
        left -= length;
        int number = all.size() + 1;
        Part known = there.get(number);
        all.add(
            known != null && isSame(known, buffer, length)
                ? withChecksum(known, buffer, length)
                : sendPart(name, upload, number, buffer, length, goOn));
      }
    }
    requests.send(
        "complete the parts of " + name,
        () ->
            client.completeMultipartUpload(
                CompleteMultipartUploadArgs.builder()
                    .bucket(bucket)
                    .object(name)
                    .uploadId(upload)
                    .parts(all.toArray(Part[]::new))
                    .build()));
    for (ListMultipartUploadsResult.Upload other : begun) {
      if (!upload.equals(other.uploadId())) {
        abort(other);
      }
    }
  }

  /**
   * Throws away what was begun below a prefix and forgotten; at most a thousand at a time. What
   * cannot be thrown away now stays.
   */
  void dropForgotten(String prefix, Instant now) {
    for (ListMultipartUploadsResult.Upload upload : begun(prefix)) {
      if (began(upload).isBefore(now.minus(FORGOTTEN))) {
        abort(upload);
      }
    }
  }

  private static Instant began(ListMultipartUploadsResult.Upload upload) {
    return Optional.ofNullable(upload.initiated())
        .map(time -> time.toInstant())
        .orElse(Instant.MAX);
  }

  /** None, too, for an account that may store and not list. */
  private List<ListMultipartUploadsResult.Upload> begun(String prefix) {
    try {
      return requests
          .send(
              "list uploads of " + prefix,
              () ->
                  client.listMultipartUploads(
                      ListMultipartUploadsArgs.builder()
                          .bucket(bucket)
                          .prefix(prefix)
                          .maxUploads(PAGE)
                          .build()))
          .result()
          .uploads();
    } catch (StorageException.Rejected e) {
      LOG.atWarn()
          .addKeyValue("prefix", prefix)
          .addKeyValue("reason", e.getMessage())
          .log("uploads cannot be listed: those that broke off are not gone on with");
      return List.of();
    }
  }

  private String begin(String name) {
    return requests
        .send(
            "begin to store " + name,
            () ->
                client.createMultipartUpload(
                    CreateMultipartUploadArgs.builder()
                        .bucket(bucket)
                        .object(name)
                        .headers(new Http.Headers("Content-Type", "application/octet-stream"))
                        .build()))
        .result()
        .uploadId();
  }

  private Map<Integer, Part> parts(String name, String upload) {
    Map<Integer, Part> parts = new HashMap<>();
    Integer marker = null;
    for (int page = 0; page <= MAX_PARTS / PAGE; page++) {
      Integer after = marker;
      ListPartsResult found =
          requests
              .send(
                  "list the parts of " + name,
                  () ->
                      client.listParts(
                          ListPartsArgs.builder()
                              .bucket(bucket)
                              .object(name)
                              .uploadId(upload)
                              .maxParts(PAGE)
                              .partNumberMarker(after)
                              .build()))
              .result();
      found.parts().forEach(part -> parts.put(part.partNumber(), part));
      marker = found.nextPartNumberMarker();
      if (!found.isTruncated() || marker == null) {
        break;
      }
    }
    return parts;
  }

  private static boolean isSame(Part part, byte[] bytes, int length) {
    if (part.partSize() != length) {
      return false;
    }
    return HexFormat.of()
        .formatHex(digest("MD5", bytes, length))
        .equals(S3ObjectStore.unquoted(part.etag()));
  }

  /**
   * The client sends each part with its SHA-256; some services want it again and do not tell it.
   */
  private static Part withChecksum(Part part, byte[] bytes, int length) {
    return part.checksumSHA256() != null
        ? part
        : new Part(
            part.partNumber(),
            part.etag(),
            part.checksumCRC32(),
            part.checksumCRC32C(),
            part.checksumCRC64NVME(),
            part.checksumSHA1(),
            Base64.getEncoder().encodeToString(digest("SHA-256", bytes, length)));
  }

  private static byte[] digest(String algorithm, byte[] bytes, int length) {
    try {
      MessageDigest digest = MessageDigest.getInstance(algorithm);
      digest.update(bytes, 0, length);
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has " + algorithm, e);
    }
  }

  private Part sendPart(
      String name, String upload, int number, byte[] bytes, int length, BooleanSupplier goOn) {
    if (!goOn.getAsBoolean()) {
      throw new StorageException.Retryable(
          "part " + number + " of " + name + " could not be sent in time; the next attempt goes on",
          null);
    }
    return requests
        .send(
            "store part " + number + " of " + name,
            () ->
                client.uploadPart(
                    UploadPartArgs.builder()
                        .bucket(bucket)
                        .object(name)
                        .uploadId(upload)
                        .partNumber(number)
                        .data(bytes, length)
                        .build()))
        .part();
  }

  private void abort(ListMultipartUploadsResult.Upload upload) {
    try {
      requests.send(
          "throw away parts of " + upload.objectName(),
          () ->
              client.abortMultipartUpload(
                  AbortMultipartUploadArgs.builder()
                      .bucket(bucket)
                      .object(upload.objectName())
                      .uploadId(upload.uploadId())
                      .build()));
    } catch (StorageException.NotFound e) {
      // Somebody else was faster.
    } catch (StorageException e) {
      LOG.atWarn()
          .addKeyValue("object", upload.objectName())
          .addKeyValue("reason", e.getMessage())
          .log("parts that nobody needs stay in the storage");
    }
  }
}
