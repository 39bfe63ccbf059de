package io.lamina.gateway.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.RepositoryName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LiveEventsTest {
  private static final RepositoryName REPOSITORY = new RepositoryName("a.example.org");
  private final LiveEvents live = new LiveEvents("e1", 3);

  @Test
  void givesThoseWhoComeBackWhatTheyMissed() {
    publish(3);

    assertThat(missedSince("e1-1")).contains(List.of(2L, 3L));
    assertThat(missedSince("e1-3")).contains(List.of());
    assertThat(missedSince("e1-0")).contains(List.of(1L, 2L, 3L));
  }

  @Test
  void doesNotPretendToKnowWhatItNoLongerHolds() {
    publish(5);

    assertThat(missedSince("e1-1")).isEmpty();
    assertThat(missedSince("e1-2")).contains(List.of(3L, 4L, 5L));
    assertThat(missedSince("e1-6")).isEmpty();
    assertThat(missedSince("e0-3")).isEmpty();
    assertThat(missedSince("e1-x")).isEmpty();
    assertThat(missedSince("e1-99999999999999999999")).isEmpty();
    assertThat(missedSince("")).isEmpty();
  }

  @Test
  void tellsWatchersInOrderUntilTheyLeave() {
    List<String> heard = new ArrayList<>();
    java.util.function.Consumer<LiveEvent> watcher = e -> heard.add(live.id(e));
    live.watch(watcher, Optional.empty());
    publish(2);
    live.leave(watcher);
    publish(1);

    assertThat(heard).containsExactly("e1-1", "e1-2");
    assertThat(live.watching()).isZero();
    assertThat(live.presentId()).isEqualTo("e1-3");
  }

  private void publish(int times) {
    for (int i = 0; i < times; i++) {
      live.publish(LiveEvent.Kind.PUBLISHED, REPOSITORY, Optional.empty(), false, "{}");
    }
  }

  private Optional<List<Long>> missedSince(String id) {
    return live.watch(e -> {}, Optional.of(id))
        .map(missed -> missed.stream().map(LiveEvent::sequence).toList());
  }
}
