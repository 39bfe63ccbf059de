package io.lamina.image.registry;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.manifest.FetchedManifest;
import io.lamina.image.manifest.VerifyingStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One repository of one registry, read through its mirrors. Thread-safe; belongs to the {@link
 * Registries} that made it and needs no closing.
 *
 * <p>Source: OCI distribution specification; docs/image-sources.md.
 */
public final class RegistryClient {
  private static final Logger LOG = LoggerFactory.getLogger(RegistryClient.class);
  private static final int MAX_TAGS = 500_000;
  private static final int MAX_PAGES = 10_000;

  private final List<RegistrySession> mirrors;
  private final RegistrySession registry;
  private final HttpTransport transport;
  private final Backoff backoff;
  private final Timeouts timeouts;

  RegistryClient(
      List<RegistrySession> mirrors,
      RegistrySession registry,
      HttpTransport transport,
      Backoff backoff,
      Timeouts timeouts) {
    this.mirrors = List.copyOf(mirrors);
    this.registry = registry;
    this.transport = transport;
    this.backoff = backoff;
    this.timeouts = timeouts;
  }

  /**
   * The manifest or index; compared with the digest, if it is asked for by one.
   *
   * @param tagOrDigest as {@link ImageReference.Registry#tagOrDigest} gives it
   * @throws ImageException.NotFound if there is none, or the credentials may not see it
   */
  public FetchedManifest manifest(String tagOrDigest) {
    FetchManifest action = new FetchManifest(checked(tagOrDigest), timeouts);
    return fromAny(session -> session.call(action), session -> session.callOnce(action));
  }

  /**
   * The digest of what a tag names now, by a request that costs no pull quota where possible.
   *
   * @return nothing if there is no such tag
   */
  public Optional<Digest> digest(String tagOrDigest) {
    CheckManifest.Seen seen = registry.call(new CheckManifest(checked(tagOrDigest)));
    if (!seen.exists() || seen.digest().isPresent()) {
      return seen.digest();
    }
    return Optional.of(registry.call(new FetchManifest(tagOrDigest, timeouts)).digest());
  }

  /**
   * All tags, in the registry's order.
   *
   * @throws ImageException.Rejected if there are more than 500,000, or the pages go in a circle
   */
  public List<String> tags() {
    SequencedSet<String> tags = new LinkedHashSet<>();
    Set<URI> seen = new HashSet<>();
    Optional<URI> next = Optional.empty();
    for (int page = 0; page < MAX_PAGES; page++) {
      ListTags.Page answer = registry.call(new ListTags(next, timeouts));
      for (String tag : answer.tags()) {
        tags.add(ImageReference.checkedTag(tag));
      }
      if (tags.size() > MAX_TAGS) {
        break;
      }
      next = answer.next();
      if (next.isEmpty()) {
        return new ArrayList<>(tags);
      }
      if (!seen.add(next.get())) {
        throw new ImageException.Rejected(
            registry.where() + ": the pages of the tags go in a circle");
      }
    }
    throw new ImageException.Rejected(registry.where() + " has more tags than can be listed");
  }

  /**
   * A blob's bytes; see {@link io.lamina.image.ImageSource#openBlob} for how the stream ends. One
   * of the registry's concurrent requests is taken until the stream is closed.
   *
   * @throws ImageException.NotFound if the repository has no such blob
   */
  public InputStream openBlob(Descriptor blob) {
    OpenBlob first = new OpenBlob(blob, 0, true);
    return fromAny(
        session -> resuming(blob, session.call(first), session),
        session -> resuming(blob, session.callOnce(first), session));
  }

  /**
   * A small blob as a whole, verified.
   *
   * @throws ImageException.Rejected if the descriptor says that it is longer than {@code maxBytes}
   */
  public byte[] readBlob(Descriptor blob, int maxBytes) {
    if (blob.sizeBytes() > maxBytes) {
      throw new ImageException.Rejected(
          registry.where()
              + ": blob "
              + blob.digest()
              + " has "
              + blob.sizeBytes()
              + " bytes; the limit is "
              + maxBytes);
    }
    try (InputStream in = openBlob(blob)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw Failures.of(
          registry.where() + ": blob " + blob.digest(),
          registry.endpoint().base().getRawAuthority(),
          e);
    }
  }

  /** Whether the registry itself, not a mirror, has the blob in this repository. */
  public boolean hasBlob(Digest digest) {
    return registry.call(new CheckBlob(digest));
  }

  /**
   * Stores a blob unless it is there.
   *
   * @param content opened once per attempt; exactly the bytes of the descriptor
   * @param mountFrom a repository of the same registry that may have the blob
   * @return whether bytes were sent
   * @throws ImageException.Rejected if these credentials may not push
   */
  public boolean pushBlob(
      Descriptor blob, Supplier<InputStream> content, Optional<String> mountFrom) {
    for (int attempt = 1; ; attempt++) {
      try {
        if (registry.callOnce(new CheckBlob(blob.digest()))) {
          return false;
        }
        Optional<URI> location =
            registry.callOnce(new StartUpload(blob.digest(), mountFrom, transport));
        // A broken upload starts from the beginning: the address it had may be used up.
        return location.isPresent()
            && registry.callOnce(new PutBlob(location.get(), blob, content));
      } catch (ImageException.Retryable e) {
        backoff.awaitNext(attempt, e);
      }
    }
  }

  /**
   * Stores a manifest whose blobs are there.
   *
   * @return its digest
   * @throws ImageException.Rejected if these credentials may not push, or a blob is missing
   */
  public Digest pushManifest(String tagOrDigest, Descriptor manifest, byte[] bytes) {
    return registry.call(
        new PutManifest(checked(tagOrDigest), manifest.mediaType(), bytes.clone()));
  }

  /** For messages: host and repository. */
  public String where() {
    return registry.where();
  }

  private InputStream resuming(Descriptor blob, InputStream first, RegistrySession session) {
    AtomicBoolean usesRange = new AtomicBoolean(true);
    AtomicBoolean usesMirror = new AtomicBoolean(true);
    ResumingStream.Opener opener =
        offset -> {
          RegistrySession place = usesMirror.get() ? session : registry;
          try {
            return place.callOnce(new OpenBlob(blob, offset, usesRange.get()));
          } catch (ImageException e) {
            boolean isWrongRange = e.getCause() instanceof OpenBlob.WrongRange;
            if (isWrongRange) {
              usesRange.set(false);
            }
            // A mirror that fails in the middle of a blob is left for the registry itself.
            usesMirror.set(isWrongRange);
            if (place != registry && !(e instanceof ImageException.Retryable)) {
              throw new ImageException.Retryable(String.valueOf(e.getMessage()), e, null);
            }
            throw e;
          }
        };
    return new VerifyingStream(new ResumingStream(blob, first, opener, backoff), blob);
  }

  /** Mirrors get one try each; the registry itself has the last word. */
  private <T> T fromAny(
      Function<RegistrySession, T> fromRegistry, Function<RegistrySession, T> fromMirror) {
    List<ImageException> failures = new ArrayList<>();
    for (RegistrySession mirror : mirrors) {
      try {
        return fromMirror.apply(mirror);
      } catch (ImageException e) {
        LOG.atDebug()
            .addKeyValue("mirror", mirror.endpoint().name())
            .log("mirror failed: {}", e.getMessage());
        failures.add(e);
      }
    }
    try {
      return fromRegistry.apply(registry);
    } catch (ImageException e) {
      failures.forEach(e::addSuppressed);
      throw e;
    }
  }

  private static String checked(String tagOrDigest) {
    if (tagOrDigest.startsWith("sha256:")) {
      return Digest.parse(tagOrDigest).toString();
    }
    return ImageReference.checkedTag(tagOrDigest);
  }
}
