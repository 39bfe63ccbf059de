package io.lamina.storage;

import io.minio.GetObjectArgs;
import io.minio.GetObjectResponse;
import io.minio.Http;
import io.minio.ListObjectsArgs;
import io.minio.MinioAsyncClient;
import io.minio.ObjectWriteArgs;
import io.minio.PutObjectArgs;
import io.minio.RemoveObjectArgs;
import io.minio.Result;
import io.minio.StatObjectArgs;
import io.minio.StatObjectResponse;
import io.minio.UploadObjectArgs;
import io.minio.credentials.StaticProvider;
import io.minio.errors.MinioException;
import io.minio.messages.Item;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import okhttp3.ConnectionPool;
import okhttp3.Dispatcher;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A bucket, or the part of one below a prefix, as an object store.
 *
 * <p>Whoever must not overwrite says so in the request ({@code If-None-Match}, {@code If-Match});
 * the service decides. A reply that was lost is looked up: a token in the file's metadata tells
 * whether the write was this one. Everything is durable when a call returns.
 *
 * <p>Source: docs/storage.md, "S3". Thread-safe.
 */
public final class S3ObjectStore implements ObjectStore {
  private static final Logger LOG = LoggerFactory.getLogger(S3ObjectStore.class);

  /** The metadata of a swap's file that says which call wrote it. */
  static final String TOKEN = "lamina-write";

  /** The most that one request can store. */
  private static final long MAX_OBJECT_BYTES = 5L << 30;

  /** Up to here a stream is sent from memory, above from a file. */
  private static final long MAX_IN_MEMORY_BYTES = 8 << 20;

  /** Below, asking whether an object is there costs as much as sending it. */
  private static final long PEEK_ABOVE_BYTES = 32 << 10;

  private static final Duration REQUEST_LIMIT = Duration.ofMinutes(60);

  /** A look that took longer is not acted upon. */
  private static final Duration LOOK_LIMIT = Duration.ofSeconds(20);

  private static final int MAX_FOUND = 1_000_000;

  /**
   * @param concurrency requests at once; more wait
   * @param attempts of each operation, 1 or more
   * @param firstPause between attempts, doubled each time
   * @param connectTimeout to reach the service
   * @param transferTimeout without a byte moving, in either direction
   * @param sweepReaction a look and the deletion that follows it take less, with all their
   *     timeouts; the same for all who use the bucket
   */
  public record Settings(
      int concurrency,
      int attempts,
      Duration firstPause,
      Duration connectTimeout,
      Duration transferTimeout,
      Duration sweepReaction) {
    public static final Settings STANDARD =
        new Settings(
            64,
            5,
            Duration.ofMillis(200),
            Duration.ofSeconds(10),
            Duration.ofSeconds(60),
            Duration.ofMinutes(2));

    public Settings {
      if (concurrency < 1 || concurrency > 10_000 || attempts < 1 || attempts > 100) {
        throw new StorageException.Rejected(
            "S3 settings: concurrency " + concurrency + ", attempts " + attempts);
      }
    }
  }

  private final StorageLocation.S3 location;
  private final Settings settings;
  private final HeaderPolicy headers;
  private final Clock clock;
  private final RandomGenerator random;
  private final Semaphore permits;
  private final ExecutorService executor;
  private final OkHttpClient http;
  private final MinioAsyncClient client;
  private final S3PartedUploads parted;
  // Spooled uploads that are on their way, deleted by close if a call did not end.
  private final Set<Path> spooled = ConcurrentHashMap.newKeySet();
  // Objects that were found old, and when they were stored again, until a flush.
  private final ConcurrentMap<ObjectKey, Long> found = new ConcurrentHashMap<>();

  private S3ObjectStore(
      StorageLocation.S3 location,
      Settings settings,
      HeaderPolicy headers,
      Clock clock,
      RandomGenerator random,
      Optional<S3Credentials> credentials) {
    this.location = location;
    this.settings = settings;
    this.headers = headers;
    this.clock = clock;
    this.random = random;
    this.permits = new Semaphore(settings.concurrency());
    this.executor = Executors.newVirtualThreadPerTaskExecutor();
    Dispatcher dispatcher = new Dispatcher(executor);
    dispatcher.setMaxRequests(settings.concurrency());
    dispatcher.setMaxRequestsPerHost(settings.concurrency());
    this.http =
        new OkHttpClient.Builder()
            .dispatcher(dispatcher)
            .connectionPool(new ConnectionPool(settings.concurrency(), 1, TimeUnit.MINUTES))
            .protocols(List.of(Protocol.HTTP_1_1))
            .connectTimeout(settings.connectTimeout())
            .readTimeout(settings.transferTimeout())
            .writeTimeout(settings.transferTimeout())
            // Whether a request may be sent again is decided here, operation by operation.
            .retryOnConnectionFailure(false)
            .followRedirects(false)
            .build();
    MinioAsyncClient.Builder builder =
        MinioAsyncClient.builder()
            .endpoint(location.endpoint().toString())
            .region(location.region())
            .httpClient(http);
    credentials.ifPresent(
        c ->
            builder.credentialsProvider(
                new StaticProvider(c.accessKey(), c.secretKey(), c.sessionToken().orElse(null))));
    this.client = builder.build();
    this.parted = new S3PartedUploads(client, location.bucket(), this::retrying);
    if (location.style() == StorageLocation.Style.DNS) {
      client.enableVirtualStyleEndpoint();
    } else {
      client.disableVirtualStyleEndpoint();
    }
  }

  /**
   * Opens a bucket; nothing is sent yet.
   *
   * @param clock tells objects' ages; right within some hours
   * @throws StorageException.Rejected if the credentials file is not as it should be
   */
  public static S3ObjectStore open(
      StorageLocation.S3 location,
      Settings settings,
      HeaderPolicy headers,
      Clock clock,
      RandomGenerator random) {
    return new S3ObjectStore(
        location,
        settings,
        headers,
        clock,
        random,
        location.credentialsFile().map(S3Credentials::read));
  }

  // ---- objects ------------------------------------------------------------------------------

  @Override
  public PutOutcome putIfAbsent(ObjectKey key, Content content) {
    if (content.sizeBytes() > MAX_OBJECT_BYTES) {
      throw new StorageException.Rejected(
          key + " has " + content.sizeBytes() + " bytes; one request stores at most 5 GiB");
    }
    if (content.sizeBytes() > PEEK_ABOVE_BYTES) {
      Optional<Stat> there = head(key).filter(s -> s.sizeBytes() == content.sizeBytes());
      if (there.isPresent() && !isStale(there.get())) {
        return PutOutcome.ALREADY_PRESENT;
      }
    }
    if (content instanceof Content.Bytes bytes) {
      return put(key, condition -> sendBytes(key, array(bytes), condition));
    }
    if (content instanceof Content.File file && size(file) == file.sizeBytes()) {
      return put(key, condition -> sendFile(key, file.path(), condition));
    }
    if (content.sizeBytes() <= MAX_IN_MEMORY_BYTES) {
      byte[] bytes = Contents.readFully(key, content);
      return put(key, condition -> sendBytes(key, bytes, condition));
    }
    return putSpooled(key, content);
  }

  /**
   * Stores a large file in parts, unless it is there. Where an attempt broke off, the next one goes
   * on, whichever process makes it.
   *
   * @param sizeBytes of the file
   * @param partBytes of each part, 5 MiB or more; all attempts agree on it
   * @param goOn asked before each part; what was sent is kept if it says no
   * @throws StorageException.Retryable if parts are missing: calling again goes on
   */
  public PutOutcome putInParts(
      ObjectKey key, Path file, long sizeBytes, int partBytes, BooleanSupplier goOn) {
    if (Math.ceilDiv(sizeBytes, partBytes) > S3PartedUploads.MAX_PARTS) {
      throw new StorageException.Rejected(
          key + " has " + sizeBytes + " bytes; parts of " + partBytes + " bytes are too many");
    }
    Optional<Stat> there = head(key).filter(stat -> stat.sizeBytes() == sizeBytes);
    if (there.isPresent() && !isStale(there.get())) {
      return PutOutcome.ALREADY_PRESENT;
    }
    try {
      parted.send(location.keyInBucket(key), partBytes, file, sizeBytes, goOn);
      return PutOutcome.STORED;
    } catch (IOException e) {
      throw new StorageException.Retryable("cannot read " + file, e);
    } catch (StorageException.NotFound e) {
      // Completed or thrown away meanwhile: by a request whose reply was lost, or somebody else.
      if (head(key).filter(stat -> stat.sizeBytes() == sizeBytes).isPresent()) {
        return PutOutcome.ALREADY_PRESENT;
      }
      throw new StorageException.Retryable("the parts of " + key + " are gone", e);
    }
  }

  /**
   * Throws away parts of uploads that were begun more than a week ago and not gone on with.
   *
   * @param prefix of their keys
   */
  public void dropForgottenParts(String prefix) {
    parted.dropForgotten(inBucket(prefix), clock.instant());
  }

  /** Sends under a condition. */
  private interface Sending {
    CompletableFuture<String> send(Map<String, String> condition);
  }

  private PutOutcome put(ObjectKey key, Sending sending) {
    try {
      retrying("store " + key, () -> sending.send(absent()));
      found.remove(key);
      return PutOutcome.STORED;
    } catch (Precondition e) {
      Optional<Stat> there = head(key);
      if (there.isPresent() && !isStale(there.get())) {
        return PutOutcome.ALREADY_PRESENT;
      }
      // The service has no other way to bring the time up to date that all of them know.
      retrying("store " + key + " again", () -> sending.send(Map.of()));
      if (there.isPresent() && isOlderThan(there.get(), LEAST_GRACE)) {
        remember(key);
      }
      return PutOutcome.ALREADY_PRESENT;
    }
  }

  private boolean isStale(Stat there) {
    return isOlderThan(there, REFRESHED_AFTER);
  }

  private boolean isOlderThan(Stat there, Duration age) {
    // The service's times and ours differ by minutes at most, the bounds by a day.
    return there.modifiedSeconds() < clock.instant().minus(age).getEpochSecond();
  }

  private void remember(ObjectKey key) {
    if (found.size() >= MAX_FOUND) {
      flush();
    }
    found.put(key, System.nanoTime());
  }

  /** A stream can be read once and a request may have to be sent again: it waits in a file. */
  private PutOutcome putSpooled(ObjectKey key, Content content) {
    Path file = null;
    try {
      file = Files.createTempFile("lamina-s3-", ".part");
      spooled.add(file);
      long written;
      try (InputStream in = content.open();
          var out = Files.newOutputStream(file, StandardOpenOption.WRITE)) {
        written = copy(in, out, content.sizeBytes());
        if (written != content.sizeBytes() || in.read() != -1) {
          throw Contents.wrongLength(key, content.sizeBytes(), written);
        }
      }
      Path whole = file;
      return put(key, condition -> sendFile(key, whole, condition));
    } catch (IOException e) {
      throw new StorageException.Retryable("cannot read what is to be stored as " + key, e);
    } finally {
      if (file != null) {
        deleteSpooled(file);
      }
    }
  }

  private static long copy(InputStream in, java.io.OutputStream out, long limit)
      throws IOException {
    byte[] buffer = new byte[128 << 10];
    long written = 0;
    while (written < limit) {
      int n = in.read(buffer, 0, (int) Math.min(buffer.length, limit - written));
      if (n < 0) {
        break;
      }
      out.write(buffer, 0, n);
      written += n;
    }
    return written;
  }

  private void deleteSpooled(Path file) {
    try {
      Files.deleteIfExists(file);
      spooled.remove(file);
    } catch (IOException e) {
      LOG.atWarn().addKeyValue("file", file).log("cannot delete a spooled upload");
    }
  }

  private static long size(Content.File file) {
    try {
      return Files.size(file.path());
    } catch (IOException e) {
      throw new StorageException.Retryable("cannot read " + file.path(), e);
    }
  }

  private static byte[] array(Content.Bytes bytes) {
    return bytes.offset() == 0 && bytes.length() == bytes.array().length
        ? bytes.array()
        : Arrays.copyOfRange(bytes.array(), bytes.offset(), bytes.offset() + bytes.length());
  }

  /**
   * The service has answered for everything that was stored. What was found old may be on the list
   * of somebody who is removing old objects: who decided before it was stored again has acted after
   * {@link Settings#sweepReaction}.
   */
  @Override
  public void flush() {
    Map<ObjectKey, Long> mine = Map.copyOf(found);
    if (mine.isEmpty()) {
      return;
    }
    if (head(SWEEP_MARK).isPresent()) {
      long last = mine.values().stream().mapToLong(at -> at).max().orElseThrow();
      waitUntil(last + settings.sweepReaction().toNanos());
      for (ObjectKey key : mine.keySet()) {
        if (head(key).isEmpty()) {
          throw new StorageException.Retryable(
              key + " was found old and has been removed since; it is to be stored again", null);
        }
      }
    }
    mine.forEach(found::remove);
  }

  private static void waitUntil(long nanoTime) {
    try {
      TimeUnit.NANOSECONDS.sleep(Math.max(0, nanoTime - System.nanoTime()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StorageException.Retryable("interrupted while a sweep was waited for", e);
    }
  }

  /**
   * The service cannot look and delete in one step, so both follow each other at once, and the
   * request is sent once: whoever stores the object between them looks again after {@link
   * Settings#sweepReaction}.
   */
  @Override
  public boolean deleteIfOlder(ObjectKey key, long modifiedSeconds) {
    long began = System.nanoTime();
    if (head(key).filter(stat -> stat.modifiedSeconds() < modifiedSeconds).isEmpty()
        || System.nanoTime() - began > LOOK_LIMIT.toNanos()) {
      return false;
    }
    try {
      once(
          "delete " + key,
          () ->
              client
                  .removeObject(
                      RemoveObjectArgs.builder()
                          .bucket(location.bucket())
                          .object(location.keyInBucket(key))
                          .build())
                  .thenApply(_ -> true));
      return true;
    } catch (StorageException.OutcomeUnknown e) {
      throw new StorageException.Retryable("whether " + key + " is deleted is not known", e);
    }
  }

  @Override
  public Optional<Stat> head(ObjectKey key) {
    return stat(key).map(s -> new Stat(key, s.size(), seconds(s.lastModified())));
  }

  private Optional<StatObjectResponse> stat(ObjectKey key) {
    try {
      return Optional.of(
          retrying(
              "look at " + key,
              () ->
                  client.statObject(
                      StatObjectArgs.builder()
                          .bucket(location.bucket())
                          .object(location.keyInBucket(key))
                          .build())));
    } catch (StorageException.NotFound e) {
      return Optional.empty();
    }
  }

  private static long seconds(@Nullable ZonedDateTime time) {
    return time == null ? 0 : time.toEpochSecond();
  }

  @Override
  public InputStream open(ObjectKey key) {
    return fetch(key);
  }

  private GetObjectResponse fetch(ObjectKey key) {
    return retrying(
        "read " + key,
        () ->
            client.getObject(
                GetObjectArgs.builder()
                    .bucket(location.bucket())
                    .object(location.keyInBucket(key))
                    .build()));
  }

  @Override
  public byte[] read(ObjectKey key, int maxBytes) {
    return readVersioned(key, maxBytes).bytes();
  }

  private Versioned readVersioned(ObjectKey key, int maxBytes) {
    for (int attempt = 1; ; attempt++) {
      try (GetObjectResponse response = fetch(key)) {
        byte[] bytes = response.readNBytes(maxBytes);
        if (bytes.length == maxBytes && response.read() != -1) {
          throw Contents.tooLong(key, maxBytes);
        }
        String etag = response.headers().get("ETag");
        if (etag == null) {
          throw new StorageException.Rejected(location + " gives no ETag for " + key);
        }
        return new Versioned(bytes, new Version(unquoted(etag)));
      } catch (IOException e) {
        StorageException failure =
            new StorageException.Retryable("reading " + key + " broke off", e);
        if (attempt >= settings.attempts()) {
          throw failure;
        }
        pause(attempt, failure);
      }
    }
  }

  private String inBucket(String prefix) {
    return location.prefix().isEmpty() ? prefix : location.prefix() + "/" + prefix;
  }

  @Override
  public void list(String prefix, Consumer<Stat> sink) {
    Iterable<Result<Item>> items =
        client.listObjects(
            ListObjectsArgs.builder()
                .bucket(location.bucket())
                .prefix(inBucket(prefix))
                .recursive(true)
                .build());
    for (Result<Item> result : items) {
      Item item;
      try {
        item = result.get();
      } catch (MinioException e) {
        throw S3Failures.translate("list " + location + " from " + prefix, e);
      } catch (RuntimeException e) {
        throw S3Failures.translate("list " + location + " from " + prefix, unwrapped(e));
      }
      if (!item.isDir()) {
        key(item.objectName().substring(inBucket("").length()))
            .ifPresent(
                key -> sink.accept(new Stat(key, item.size(), seconds(item.lastModified()))));
      }
    }
  }

  /** Empty for what somebody else put here under a name that no key can have. */
  private static Optional<ObjectKey> key(String name) {
    try {
      return Optional.of(new ObjectKey(name));
    } catch (StorageException.Rejected e) {
      return Optional.empty();
    }
  }

  @Override
  public boolean delete(ObjectKey key) {
    if (stat(key).isEmpty()) {
      return false;
    }
    retrying(
        "delete " + key,
        () ->
            client
                .removeObject(
                    RemoveObjectArgs.builder()
                        .bucket(location.bucket())
                        .object(location.keyInBucket(key))
                        .build())
                .thenApply(_ -> true));
    return true;
  }

  // ---- mutable files ------------------------------------------------------------------------

  @Override
  public Optional<Versioned> readMutable(ObjectKey key, int maxBytes) {
    try {
      return Optional.of(readVersioned(key, maxBytes));
    } catch (StorageException.NotFound e) {
      return Optional.empty();
    }
  }

  @Override
  public Version swap(ObjectKey key, Optional<Version> expected, byte[] bytes) {
    String token = HexFormat.of().toHexDigits(random.nextLong());
    Map<String, String> condition =
        expected
            .map(v -> Map.of("If-Match", "\"" + v.value() + "\""))
            .orElseGet(S3ObjectStore::absent);
    boolean lost = false;
    for (int attempt = 1; ; attempt++) {
      try {
        return new Version(once("replace " + key, () -> sendSwap(key, bytes, condition, token)));
      } catch (Precondition | StorageException.NotFound e) {
        return afterRefusal(key, expected, token, lost);
      } catch (StorageException.OutcomeUnknown e) {
        // The same request again is safe: at most one of the two meets its condition, and the
        // token tells which.
        lost = true;
        if (attempt >= settings.attempts()) {
          return afterLoss(key, token, e);
        }
        pause(attempt, e);
      } catch (StorageException.Retryable e) {
        if (attempt >= settings.attempts()) {
          throw lost ? unknown(key, e) : e;
        }
        pause(attempt, e);
      }
    }
  }

  /** The condition did not hold: because of somebody else's write, or of this one's lost reply. */
  private Version afterRefusal(
      ObjectKey key, Optional<Version> expected, String token, boolean lost) {
    Optional<StatObjectResponse> found = stat(key);
    if (lost) {
      Optional<Version> mine = ownWrite(found, token);
      if (mine.isPresent()) {
        return mine.get();
      }
      throw unknown(key, new IOException("somebody has written after the reply was lost"));
    }
    Contents.checkVersion(key, found.map(s -> new Version(unquoted(s.etag()))), expected);
    // It was refused and yet is as expected: somebody has put the same bytes back.
    throw new StorageException.Conflict(key + " was being replaced by somebody else");
  }

  private Version afterLoss(ObjectKey key, String token, StorageException cause) {
    try {
      Optional<Version> mine = ownWrite(stat(key), token);
      if (mine.isPresent()) {
        return mine.get();
      }
    } catch (StorageException e) {
      cause.addSuppressed(e);
    }
    // A request on its way may still arrive.
    throw unknown(key, cause);
  }

  private static Optional<Version> ownWrite(Optional<StatObjectResponse> found, String token) {
    return found
        .filter(s -> token.equals(s.userMetadata().getFirst(TOKEN)))
        .map(s -> new Version(unquoted(s.etag())));
  }

  private static StorageException.OutcomeUnknown unknown(ObjectKey key, Throwable cause) {
    return new StorageException.OutcomeUnknown(
        "no reply to the replacement of " + key + "; read it again before deciding", cause);
  }

  // ---- requests -----------------------------------------------------------------------------

  private static Map<String, String> absent() {
    return Map.of("If-None-Match", "*");
  }

  private CompletableFuture<String> sendBytes(
      ObjectKey key, byte[] bytes, Map<String, String> condition) {
    return client
        .putObject(
            described(PutObjectArgs.builder().data(bytes, bytes.length), key, condition).build())
        .thenApply(response -> unquoted(response.etag()));
  }

  private CompletableFuture<String> sendSwap(
      ObjectKey key, byte[] bytes, Map<String, String> condition, String token) {
    return client
        .putObject(
            described(PutObjectArgs.builder().data(bytes, bytes.length), key, condition)
                .userMetadata(Map.of(TOKEN, token))
                .build())
        .thenApply(response -> unquoted(response.etag()));
  }

  private CompletableFuture<String> sendFile(
      ObjectKey key, Path file, Map<String, String> condition) {
    try {
      return client
          .uploadObject(
              described(
                      UploadObjectArgs.builder().filename(file.toString(), MAX_OBJECT_BYTES),
                      key,
                      condition)
                  .build())
          .thenApply(response -> unquoted(response.etag()));
    } catch (MinioException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private <B extends ObjectWriteArgs.Builder<B, ?>> B described(
      B builder, ObjectKey key, Map<String, String> condition) {
    Http.Headers all = new Http.Headers(headers.headersFor(key));
    condition.forEach(all::set);
    return builder.bucket(location.bucket()).object(location.keyInBucket(key)).headers(all);
  }

  static String unquoted(String etag) {
    return etag.length() >= 2 && etag.startsWith("\"") && etag.endsWith("\"")
        ? etag.substring(1, etag.length() - 1)
        : etag;
  }

  /** A request; called anew for each attempt. */
  interface Call<T> {
    CompletableFuture<T> send();
  }

  /** The service says that the condition of the request does not hold. */
  private static final class Precondition extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Precondition(Throwable cause) {
      super(cause.getMessage(), cause, false, false);
    }
  }

  /** For requests that may be repeated even if they have succeeded. */
  private <T> T retrying(String attempted, Call<T> call) {
    for (int attempt = 1; ; attempt++) {
      try {
        return once(attempted, call);
      } catch (StorageException.OutcomeUnknown e) {
        if (attempt >= settings.attempts()) {
          throw new StorageException.Retryable(
              attempted + ": no reply in " + attempt + " attempts", e);
        }
        pause(attempt, e);
      } catch (StorageException.Retryable e) {
        if (attempt >= settings.attempts()) {
          throw e;
        }
        pause(attempt, e);
      }
    }
  }

  /**
   * @throws StorageException.OutcomeUnknown if there was no reply
   */
  private <T> T once(String attempted, Call<T> call) {
    try {
      permits.acquire();
      try {
        return call.send().get(REQUEST_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
      } finally {
        permits.release();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StorageException.OutcomeUnknown("interrupted while trying to " + attempted, e);
    } catch (java.util.concurrent.TimeoutException e) {
      throw new StorageException.OutcomeUnknown(
          "could not " + attempted + " within " + REQUEST_LIMIT, e);
    } catch (ExecutionException e) {
      Throwable cause = unwrapped(e);
      if (S3Failures.isPrecondition(cause)) {
        throw new Precondition(cause);
      }
      throw S3Failures.translate(attempted + " in " + location.bucket(), cause);
    }
  }

  private static Throwable unwrapped(Throwable e) {
    Throwable cause = e;
    while ((cause instanceof ExecutionException
            || cause instanceof java.util.concurrent.CompletionException
            || cause instanceof IllegalStateException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  private void pause(int failures, StorageException cause) {
    if (Thread.currentThread().isInterrupted()) {
      throw cause;
    }
    long full = settings.firstPause().toNanos() << Math.min(failures - 1, 10);
    LOG.atDebug().addKeyValue("cause", cause.getMessage()).log("S3 request is tried again");
    try {
      TimeUnit.NANOSECONDS.sleep(full / 2 + (full < 2 ? 0 : random.nextLong(full / 2 + 1)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw cause;
    }
  }

  @Override
  public void close() {
    http.dispatcher().cancelAll();
    http.connectionPool().evictAll();
    executor.shutdown();
    List.copyOf(spooled).forEach(this::deleteSpooled);
  }

  @Override
  public String toString() {
    return location.toString();
  }
}
