package io.lamina.gateway.webhook;

import java.util.Locale;

/**
 * An event that no request was made for. Immutable.
 *
 * @param event what it is about, as it was sent, cut
 * @param detail for people
 */
public record LeftOut(String event, Reason reason, String detail) {
  private static final int MAX_EVENT_CHARS = 200;
  private static final int MAX_DETAIL_CHARS = 500;

  /** Why; source: docs/webhooks.md, "Events that are left out". */
  public enum Reason {
    /** A pull, a deletion, a scan, a greeting. */
    NOT_A_PUSH,
    /** A layer, a signature, a package of another kind. */
    NOT_AN_IMAGE,
    /** Pushed by its digest alone, as the images of an index are. */
    UNTAGGED,
    /** A thin image, which a webhook may have asked for itself. */
    THIN_IMAGE,
    /** Of another registry than the webhook's. */
    OTHER_HOST,
    /** Patterns of the webhook or of the site do not have it. */
    NOT_ALLOWED,
    TOO_OLD,
    /** Its time has not come yet; a clock is wrong. */
    AHEAD_OF_TIME,
    /** What it says is no image reference. */
    MALFORMED;

    public String text() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Whether an operator may want to know; the others come by the thousand. */
    boolean isRemarkable() {
      return switch (this) {
        case OTHER_HOST, NOT_ALLOWED, TOO_OLD, AHEAD_OF_TIME, MALFORMED -> true;
        case NOT_A_PUSH, NOT_AN_IMAGE, UNTAGGED, THIN_IMAGE -> false;
      };
    }
  }

  public LeftOut {
    event = cut(event, MAX_EVENT_CHARS);
    detail = cut(detail, MAX_DETAIL_CHARS);
  }

  private static String cut(String text, int max) {
    return text.length() <= max ? text : text.substring(0, max) + "…";
  }
}
