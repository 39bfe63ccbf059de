package io.lamina.standalone.pipeline;

import java.time.Duration;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Something that breaks for a while.
 *
 * @param after the fault before it in its lane
 * @param kind what happens
 * @param victim chooses among those to whom it can happen
 * @param length until it is mended
 */
record Fault(Duration after, Kind kind, int victim, Duration length) {
  /** Faults of one lane follow each other; lanes run side by side. */
  enum Lane {
    PROCESSES(3_000, 6_000),
    BROKERS(8_000, 8_000),
    NETWORK(1_500, 3_000),
    DISK(12_000, 4_000);

    private final int longestPauseMillis;
    private final int longestFaultMillis;

    Lane(int longestPauseMillis, int longestFaultMillis) {
      this.longestPauseMillis = longestPauseMillis;
      this.longestFaultMillis = longestFaultMillis;
    }

    /** The next fault that the seed has for this lane. */
    Fault next(RandomGenerator random) {
      List<Kind> kinds = List.of(Kind.values()).stream().filter(kind -> kind.lane == this).toList();
      return new Fault(
          Duration.ofMillis(random.nextInt(longestPauseMillis / 4, longestPauseMillis)),
          kinds.get(random.nextInt(kinds.size())),
          random.nextInt(1 << 20),
          Duration.ofMillis(random.nextInt(longestFaultMillis / 10, longestFaultMillis)));
    }
  }

  /** What can break. */
  enum Kind {
    /** A process ends at once and is started again. */
    KILL(Lane.PROCESSES),
    /** A process stands still and goes on; longer than its sessions at times. */
    PAUSE(Lane.PROCESSES),
    KILL_BROKER(Lane.BROKERS),
    PAUSE_BROKER(Lane.BROKERS),
    REGISTRY_AWAY(Lane.NETWORK),
    REGISTRY_CUTS_REPLIES(Lane.NETWORK),
    REGISTRY_CORRUPTS_REPLIES(Lane.NETWORK),
    REGISTRY_SLOW(Lane.NETWORK),
    STORE_AWAY(Lane.NETWORK),
    STORE_CUTS_REQUESTS(Lane.NETWORK),
    /** What was asked is done, but nobody hears of it. */
    STORE_LOSES_REPLIES(Lane.NETWORK),
    STORE_CORRUPTS_REPLIES(Lane.NETWORK),
    STORE_SLOW(Lane.NETWORK),
    /** No room where a repository lies. */
    DISK_FULL(Lane.DISK);

    private final Lane lane;

    Kind(Lane lane) {
      this.lane = lane;
    }
  }
}
