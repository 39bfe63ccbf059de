package io.lamina.node.cvmfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayersException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SharedRootsTest {
  private static final String NAME = "images.example.org";
  private static final Duration LONG = Duration.ofMinutes(10);
  private final FakeClient client = new FakeClient();

  private SharedRoots roots(Duration answer, Duration linger, Duration look) {
    return new SharedRoots(client, new SharedRoots.Times(answer, linger, look));
  }

  private SharedRoots patient() {
    return roots(Duration.ofSeconds(20), LONG, LONG);
  }

  @Test
  void mountsARepositoryOnceForAllWhoUseIt() throws Exception {
    client.mounting = new CountDownLatch(1);
    try (SharedRoots roots = patient();
        ExecutorService threads = Executors.newCachedThreadPool()) {
      List<Future<CvmfsRoots.Lease>> asked = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        asked.add(threads.submit(() -> roots.acquire(NAME)));
      }
      client.mounting.countDown();

      for (Future<CvmfsRoots.Lease> each : asked) {
        CvmfsRoots.Lease lease = each.get(20, TimeUnit.SECONDS);
        assertThat(lease.root()).isEqualTo(Path.of("/mounts", NAME));
        assertThat(lease.revision()).isEqualTo(7);
        assertThat(lease.isAlive()).isTrue();
      }
      assertThat(client.attempts).hasValue(1);
      assertThat(roots.states()).containsExactly(new SharedRoots.State(NAME, 7, 20, true));
    }
  }

  @Test
  void countsALeaseThatIsClosedTwiceOnce() {
    try (SharedRoots roots = patient()) {
      CvmfsRoots.Lease first = roots.acquire(NAME);
      CvmfsRoots.Lease second = roots.acquire(NAME);
      first.close();
      first.close();

      assertThat(roots.states()).containsExactly(new SharedRoots.State(NAME, 7, 1, true));
      second.close();
      assertThat(roots.states()).containsExactly(new SharedRoots.State(NAME, 7, 0, true));
    }
  }

  @Test
  void triesAgainAfterAFailure() {
    try (SharedRoots roots = patient()) {
      client.refuses = true;
      assertThatThrownBy(() -> roots.acquire(NAME))
          .isInstanceOf(LayersException.Unavailable.class)
          .hasMessageContaining("no server has " + NAME);

      client.refuses = false;

      assertThat(roots.acquire(NAME).isAlive()).isTrue();
      assertThat(client.attempts).hasValue(2);
    }
  }

  @Test
  void mountsAgainWhatDiedAndTellsThoseWhoUsedIt() {
    try (SharedRoots roots = patient()) {
      CvmfsRoots.Lease before = roots.acquire(NAME);
      client.mounts.getFirst().dead = true;

      CvmfsRoots.Lease after = roots.acquire(NAME);

      assertThat(before.isAlive()).isFalse();
      assertThat(after.isAlive()).isTrue();
      assertThat(client.mounts).hasSize(2);
      before.close();
      assertThat(roots.states()).containsExactly(new SharedRoots.State(NAME, 7, 1, true));
    }
  }

  @Test
  void noticesADeathThatNobodyAskedFor() throws Exception {
    try (SharedRoots roots = roots(Duration.ofSeconds(20), LONG, Duration.ofMillis(10))) {
      CvmfsRoots.Lease lease = roots.acquire(NAME);
      FakeClient.Mounted mounted = client.mounts.getFirst();
      mounted.dead = true;

      assertThat(mounted.closed.await(20, TimeUnit.SECONDS)).isTrue();
      assertThat(lease.isAlive()).isFalse();
    }
  }

  @Test
  void keepsAMountThatCameTooLateForTheNextWhoAsks() {
    client.mounting = new CountDownLatch(1);
    try (SharedRoots roots = roots(Duration.ofMillis(300), LONG, LONG)) {
      assertThatThrownBy(() -> roots.acquire(NAME))
          .isInstanceOf(LayersException.Unavailable.class)
          .hasMessageContaining("did not answer");

      client.mounting.countDown();

      assertThat(roots.acquire(NAME).isAlive()).isTrue();
      assertThat(client.attempts).hasValue(1);
    }
  }

  @Test
  void oneThatHangsHoldsUpNeitherOthersNorItselfForEver() {
    try (SharedRoots roots = roots(Duration.ofMillis(300), LONG, LONG)) {
      CvmfsRoots.Lease used = roots.acquire(NAME);
      FakeClient.Mounted mounted = client.mounts.getFirst();
      mounted.answers = new CountDownLatch(1);

      assertThatThrownBy(() -> roots.acquire(NAME)).isInstanceOf(LayersException.Unavailable.class);
      assertThat(used.isAlive()).isFalse();
      assertThat(roots.acquire("other.example.org").isAlive()).isTrue();
      assertThatThrownBy(() -> roots.acquire(NAME))
          .isInstanceOf(LayersException.Unavailable.class)
          .hasMessageContaining(NAME);

      mounted.answers.countDown();
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
      while (!used.isAlive() && System.nanoTime() < deadline) {
        Thread.onSpinWait(); // the answer is on its way
      }

      assertThat(roots.acquire(NAME).root()).isEqualTo(used.root());
      assertThat(used.isAlive()).isTrue();
      assertThat(client.mounts).hasSize(2);
    }
  }

  @Test
  void unmountsWhatNobodyHasUsedForAWhile() throws Exception {
    try (SharedRoots roots =
        roots(Duration.ofSeconds(20), Duration.ofMillis(1), Duration.ofMillis(10))) {
      CvmfsRoots.Lease lease = roots.acquire(NAME);
      FakeClient.Mounted mounted = client.mounts.getFirst();
      assertThat(mounted.closed.await(200, TimeUnit.MILLISECONDS)).isFalse();

      lease.close();

      assertThat(mounted.closed.await(20, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void leavesWhatIsInUseWhenItStops() throws Exception {
    SharedRoots roots = patient();
    roots.acquire(NAME);
    roots.acquire("other.example.org").close();

    roots.close();

    assertThat(client.mounts.get(1).closed.await(20, TimeUnit.SECONDS)).isTrue();
    assertThat(client.mounts.getFirst().closed.getCount()).isEqualTo(1);
  }

  @Test
  void showsTheNewRevisionAfterItWasAskedForIt() {
    try (SharedRoots roots = patient()) {
      CvmfsRoots.Lease lease = roots.acquire(NAME);

      assertThat(roots.refresh(NAME)).isEqualTo(8);
      assertThat(lease.revision()).isEqualTo(8);
      assertThatThrownBy(() -> roots.refresh("other.example.org"))
          .isInstanceOf(LayersException.NotFound.class);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "..", "a/b", "a;reboot", "$(id)", "-oallow_other", "a\nb"})
  void refusesWhatIsNoRepositorysName(String name) {
    try (SharedRoots roots = patient()) {
      assertThatThrownBy(() -> roots.acquire(name)).isInstanceOf(LayersException.Rejected.class);
      assertThat(client.attempts).hasValue(0);
    }
  }

  @Test
  void endsAWaitThatIsInterrupted() throws Exception {
    client.mounting = new CountDownLatch(1);
    try (SharedRoots roots = patient();
        ExecutorService threads = Executors.newSingleThreadExecutor()) {
      CountDownLatch started = new CountDownLatch(1);
      Future<CvmfsRoots.Lease> asked =
          threads.submit(
              () -> {
                started.countDown();
                return roots.acquire(NAME);
              });
      started.await();
      threads.shutdownNow();

      assertThatThrownBy(() -> asked.get(20, TimeUnit.SECONDS))
          .hasCauseInstanceOf(LayersException.Cancelled.class);
      client.mounting.countDown();
    }
  }
}
