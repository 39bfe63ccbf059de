package io.lamina.node.graphdriver;

import java.time.Duration;

/**
 * How long calls may take: the engine waits for ever, with locks held. Immutable.
 *
 * @param mount for calls that mount, or that look at the folders of a layer's view
 * @param other for all others
 */
public record DriverDeadlines(Duration mount, Duration other) {
  Duration of(DriverCall call) {
    return switch (call) {
      case GET, DIFF, CHANGES, CREATE, CREATE_READ_WRITE -> mount;
      case ACTIVATE,
          INIT,
          CAPABILITIES,
          REMOVE,
          PUT,
          EXISTS,
          STATUS,
          METADATA,
          CLEANUP,
          APPLY_DIFF,
          DIFF_SIZE ->
          other;
    };
  }
}
