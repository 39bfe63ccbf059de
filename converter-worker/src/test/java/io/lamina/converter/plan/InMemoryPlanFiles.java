package io.lamina.converter.plan;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.event.StoredFile;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Files of one repository in memory, under the SHA-1 of their plain bytes. Thread-safe. */
final class InMemoryPlanFiles implements PlanFiles {
  final Map<ContentHash, byte[]> durable = new ConcurrentHashMap<>();
  final AtomicInteger stores = new AtomicInteger();
  private final Map<ContentHash, byte[]> written = new ConcurrentHashMap<>();
  private final Deque<RuntimeException> failures = new ArrayDeque<>();
  private final List<RepositoryName> names;

  InMemoryPlanFiles(RepositoryName... names) {
    this.names = List.of(names);
  }

  synchronized void failNext(RuntimeException failure) {
    failures.add(failure);
  }

  @Override
  public List<RepositoryName> known() {
    return names;
  }

  @Override
  public Optional<Writer> writer(RepositoryName repository) {
    return names.contains(repository) ? Optional.of(new MapWriter()) : Optional.empty();
  }

  private final class MapWriter implements Writer {
    @Override
    public StoredFile store(byte[] bytes) {
      synchronized (InMemoryPlanFiles.this) {
        RuntimeException failure = failures.poll();
        if (failure != null) {
          throw failure;
        }
      }
      stores.incrementAndGet();
      ContentHash hash =
          ContentHash.of(HashAlgorithm.SHA1, HashAlgorithm.SHA1.newDigest().digest(bytes));
      written.put(hash, bytes.clone());
      return new StoredFile(hash, bytes.length);
    }

    @Override
    public void flush() {
      durable.putAll(written);
    }
  }
}
