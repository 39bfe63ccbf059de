package io.lamina.gateway.webhook;

import io.lamina.image.Digest;
import java.time.Instant;
import java.util.Optional;

/**
 * One thing that a registry says has happened: hostile input, in the form that it came. Immutable.
 */
sealed interface Reported {
  /**
   * An image was pushed under a tag.
   *
   * @param id of the event, where the body has one
   * @param host by which the registry calls itself, where it does; never asked for anything
   * @param repository as it was sent, in lower case where the format has no rule for it
   * @param digest of the manifest, where the format tells a digest and a time
   * @param at when, where the format tells it
   */
  record Pushed(
      Optional<String> id,
      Optional<String> host,
      String repository,
      String tag,
      Optional<Digest> digest,
      Optional<Instant> at)
      implements Reported {}

  /** Something else. */
  record Other(LeftOut leftOut) implements Reported {
    static Other of(String event, LeftOut.Reason reason, String detail) {
      return new Other(new LeftOut(event, reason, detail));
    }
  }
}
