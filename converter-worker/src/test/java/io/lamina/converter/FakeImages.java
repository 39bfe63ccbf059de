package io.lamina.converter;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.ImageSource;
import io.lamina.image.ImageSources;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** A registry in memory that counts what is asked and fails on demand. Thread-safe. */
public final class FakeImages implements ImageSources {
  /** What was asked of whom, such as {@code resolve host/name@sha256:… linux/amd64}. */
  public final List<String> asked = Collections.synchronizedList(new ArrayList<>());

  private final Map<String, Digest> tags = new ConcurrentHashMap<>();
  private final Map<String, ResolvedImage> images = new ConcurrentHashMap<>();
  private final Map<Digest, byte[]> blobs = new ConcurrentHashMap<>();
  private final Map<String, CountDownLatch> gates = new ConcurrentHashMap<>();
  private final Deque<RuntimeException> failures = new ArrayDeque<>();
  private final Deque<RuntimeException> headFailures = new ArrayDeque<>();

  /** {@code place} is {@code host/name}; the tag points to the top digest. */
  public void tag(String place, String tag, @Nullable Digest top) {
    if (top == null) {
      tags.remove(place + ":" + tag);
    } else {
      tags.put(place + ":" + tag, top);
    }
  }

  public void image(Digest top, ResolvedImage image) {
    images.put(top + " " + image.platform(), image);
  }

  public void blob(Digest digest, byte[] bytes) {
    blobs.put(digest, bytes);
  }

  /** The next resolve or blob that is asked for ends like this. */
  public synchronized void failNext(RuntimeException... next) {
    failures.addAll(List.of(next));
  }

  /** Resolving images of the host blocks until the latch opens. */
  public void block(String host, CountDownLatch until) {
    gates.put(host, until);
  }

  /** The next question for a digest ends like this. */
  public synchronized void failNextHead(RuntimeException failure) {
    headFailures.add(failure);
  }

  private synchronized void failHeadIfTold() {
    RuntimeException next = headFailures.poll();
    if (next != null) {
      throw next;
    }
  }

  private synchronized void failIfTold() {
    RuntimeException next = failures.poll();
    if (next != null) {
      throw next;
    }
  }

  @Override
  public ImageSource open(ImageReference reference) {
    if (!(reference instanceof ImageReference.Registry registry)) {
      throw new ImageException.Rejected("only registries here, not " + reference.canonical());
    }
    return new Source(registry);
  }

  private final class Source implements ImageSource {
    private final ImageReference.Registry reference;

    private Source(ImageReference.Registry reference) {
      this.reference = reference;
    }

    private String place() {
      return reference.host() + "/" + reference.repository();
    }

    @Override
    public Optional<Digest> currentDigest() {
      String name = place() + ":" + reference.tag().orElse("latest");
      asked.add("head " + name);
      failHeadIfTold();
      return Optional.ofNullable(tags.get(name));
    }

    @Override
    public ResolvedImage resolve(Platform platform) {
      String name = place() + ":" + reference.tag().orElse("latest");
      String digest =
          reference
              .digest()
              .or(() -> Optional.ofNullable(tags.get(name)))
              .map(Digest::toString)
              .orElseThrow(() -> new ImageException.NotFound("no tag " + name));
      asked.add("resolve " + place() + "@" + digest + " " + platform);
      CountDownLatch gate = gates.get(reference.host());
      if (gate != null) {
        try {
          gate.await();
        } catch (InterruptedException e) {
          throw new ImageException.Retryable("interrupted", e, null);
        }
      }
      failIfTold();
      ResolvedImage image = images.get(digest + " " + platform);
      if (image == null) {
        throw new ImageException.NotFound(place() + " has no " + platform);
      }
      return image;
    }

    @Override
    public InputStream openBlob(Descriptor blob) {
      asked.add("blob " + blob.digest());
      failIfTold();
      byte[] bytes = blobs.get(blob.digest());
      if (bytes == null) {
        throw new ImageException.NotFound("no blob " + blob.digest());
      }
      return new ByteArrayInputStream(bytes);
    }

    @Override
    public void close() {}
  }

  /** Copies of what was asked so far. */
  public List<String> askedSoFar() {
    synchronized (asked) {
      return List.copyOf(asked);
    }
  }
}
