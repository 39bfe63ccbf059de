package io.lamina.repository;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.EditableCatalog;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.catalog.SealedCatalog;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.repository.collection.CollectionRoots;
import io.lamina.repository.collection.ObjectCollection;
import io.lamina.storage.ObjectKey;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Conversions, publications, removals and collections in any order, step by step, with time passing
 * between the steps: nothing that is referred to is ever missing, and what is not goes in the end.
 * A seed that fails is repeated with {@code -Dlamina.seed=N}.
 */
class CollectionInterleavingTest {
  private static final int STEPS = 160;

  /** Few, so that many layers have the same ones, and old ones are found again. */
  private static final int CONTENTS = 12;

  /** What conversions are promised between finding an object and being known to the publisher. */
  private static final Duration LONGEST_CONVERSION = Duration.ofHours(23);

  @TempDir Path folder;

  /** A layer on its way: its files are stored one by one, then its catalog. */
  private static final class Conversion {
    final String layer;
    final Instant began;
    final List<byte[]> contents = new ArrayList<>();
    final List<ContentHash> stored = new ArrayList<>();

    Conversion(String layer, Instant began) {
      this.layer = layer;
      this.began = began;
    }
  }

  private final List<Conversion> running = new ArrayList<>();
  private final Map<String, Graft> noted = new LinkedHashMap<>();
  private final Set<String> shown = new LinkedHashSet<>();
  private @Nullable ObjectCollection collection;
  private int nextShard;

  static LongStream seeds() {
    Long seed = Long.getLong("lamina.seed");
    return seed == null ? LongStream.range(0, 24) : LongStream.of(seed);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void neverRemovesWhatIsReferredToAndEventuallyAllElse(long seed) {
    Random random = new Random(seed);
    try (CollectedRepository repository = new CollectedRepository(folder)) {
      for (int step = 0; step < STEPS; step++) {
        step(repository, random);
        repository.clock.advance(Duration.ofMinutes(random.nextInt(10 * 60)));
        if (step % 8 == 0) {
          check(repository);
        }
      }
      check(repository);
      end(repository);
    }
  }

  private void step(CollectedRepository repository, Random random) {
    running.removeIf(
        conversion ->
            Duration.between(conversion.began, repository.clock.instant())
                    .compareTo(LONGEST_CONVERSION)
                > 0);
    switch (random.nextInt(10)) {
      case 0, 1 -> begin(repository, random);
      case 2, 3 -> running.forEach(conversion -> storeOne(repository, conversion));
      case 4 -> finishConversions(repository);
      case 5 -> publish(repository, random);
      case 6 -> remove(repository, random);
      case 7 -> noted.keySet().removeIf(layer -> random.nextInt(3) == 0); // cancelled
      default -> collectSome(repository, random);
    }
  }

  private void begin(CollectedRepository repository, Random random) {
    String layer = "layer" + random.nextInt(10);
    if (shown.contains(layer) || noted.containsKey(layer)) {
      return;
    }
    Conversion conversion = new Conversion(layer, repository.clock.instant());
    // The same layer has the same files whenever it is converted.
    Random files = new Random(layer.hashCode());
    for (int i = 0; i < 3; i++) {
      String content = "content " + files.nextInt(CONTENTS);
      conversion.contents.add(content.getBytes(StandardCharsets.UTF_8));
    }
    running.add(conversion);
    storeOne(repository, conversion);
  }

  private static void storeOne(CollectedRepository repository, Conversion conversion) {
    int next = conversion.stored.size();
    if (next < conversion.contents.size()) {
      try (ObjectCompressor compressor = CatalogCompression.FOR_PUBLISHERS.newCompressor()) {
        conversion.stored.add(
            new ObjectUploads(repository.store).putFile(conversion.contents.get(next), compressor));
      }
    }
  }

  private void finishConversions(CollectedRepository repository) {
    for (Conversion conversion : List.copyOf(running)) {
      if (conversion.stored.size() == conversion.contents.size()) {
        noted.put(conversion.layer, graft(repository, conversion));
        running.remove(conversion);
      }
    }
  }

  private static Graft graft(CollectedRepository repository, Conversion conversion) {
    RepositoryPath path = RepositoryLayout.layer(TestRepository.hex(conversion.layer));
    try (ObjectCompressor compressor = CatalogCompression.FOR_PUBLISHERS.newCompressor();
        EditableCatalog catalog =
            EditableCatalog.createNested(path, Directories.plain(1_000), HashAlgorithm.SHA1)) {
      for (int i = 0; i < conversion.contents.size(); i++) {
        catalog.put(
            path.resolve("file" + i),
            CatalogEntry.file(
                conversion.stored.get(i), conversion.contents.get(i).length, 0644, 1_000),
            nested -> Counters.ZERO);
      }
      SealedCatalog sealed = catalog.seal(1_000);
      CompressedObject object = compressor.compress(sealed.database(), HashAlgorithm.SHA1);
      new ObjectUploads(repository.store).put(ObjectKind.CATALOG, object);
      return new Graft(
          path, object.hash(), sealed.database().length, sealed.root(), sealed.total());
    }
  }

  private void publish(CollectedRepository repository, Random random) {
    List<CatalogChange> changes = new ArrayList<>();
    noted.values().forEach(graft -> changes.add(new CatalogChange.Attach(graft)));
    changes.add(
        TestRepository.file(repository.store, "/tag", "content " + random.nextInt(CONTENTS)));
    repository.commit(changes.toArray(CatalogChange[]::new));
    shown.addAll(noted.keySet());
    noted.clear();
  }

  private void remove(CollectedRepository repository, Random random) {
    List<String> gone = shown.stream().filter(layer -> random.nextBoolean()).toList();
    repository.commit(gone.stream().map(repository::removal).toArray(CatalogChange[]::new));
    gone.forEach(shown::remove);
  }

  /** A part of a collection; sometimes it breaks off. */
  private void collectSome(CollectedRepository repository, Random random) {
    if (collection == null) {
      collection =
          new ObjectCollection(
              repository.store,
              repository.writer,
              repository.settings(),
              repository.clock,
              random.nextInt(8) == 0);
      collection.mark(outside());
      nextShard = -1;
    } else if (random.nextInt(12) == 0) {
      collection.close();
      collection = null;
    } else if (nextShard < 0) {
      collection.forget(() -> {});
      nextShard = 0;
    } else {
      int until = Math.min(ObjectCollection.SHARDS, nextShard + 1 + random.nextInt(200));
      for (; nextShard < until; nextShard++) {
        collection.sweep(nextShard, () -> {});
      }
      if (nextShard == ObjectCollection.SHARDS) {
        collection.finish();
        collection.close();
        collection = null;
      }
    }
  }

  private CollectionRoots outside() {
    Set<ContentHash> catalogs = new HashSet<>();
    noted.values().forEach(graft -> catalogs.add(graft.catalog()));
    return new CollectionRoots(catalogs, Set.of());
  }

  private void check(CollectedRepository repository) {
    RepositoryChecker.check(repository.store);
    Set<String> referred = new TreeSet<>(repository.reachable());
    noted.values().forEach(graft -> repository.addTree(graft.catalog(), referred));
    for (Conversion conversion : running) {
      if (Duration.between(conversion.began, repository.clock.instant())
              .compareTo(LONGEST_CONVERSION)
          <= 0) {
        conversion.stored.forEach(object -> referred.add(ObjectKind.FILE.pathOf(object)));
      }
    }
    assertThat(repository.stored()).containsAll(referred);
  }

  /** When all is quiet and old, exactly what is referred to is left. */
  private void end(CollectedRepository repository) {
    if (collection != null) {
      collection.close();
      collection = null;
    }
    running.clear();
    noted.clear();
    repository.days(30);
    repository.collect();
    Set<String> left = new TreeSet<>(repository.stored());
    left.removeAll(repository.always());
    Set<String> referred = new TreeSet<>(repository.reachable());
    referred.removeAll(repository.always());
    assertThat(left).isEqualTo(referred);
    assertThat(repository.store.head(new ObjectKey("lamina/sweep"))).isEmpty();
    RepositoryChecker.check(repository.store);
  }
}
