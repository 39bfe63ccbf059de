package io.lamina.messaging.event;

/**
 * Names a piece of work within a repository: the same key means the same result. Immutable.
 *
 * @param id hex digest of a layer or image, or a request id
 */
public record WorkKey(Kind kind, String id) {
  /** What is to be done. */
  public enum Kind {
    LAYER,
    FLAT,
    THIN
  }

  @Override
  public String toString() {
    return kind.name().toLowerCase(java.util.Locale.ROOT) + "/" + id;
  }
}
