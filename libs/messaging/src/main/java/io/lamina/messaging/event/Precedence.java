package io.lamina.messaging.event;

/**
 * Who asks, and how urgently; decides whose turn it is where work waits. Immutable.
 *
 * <p>Source: docs/protocol/topics.md, "Whose turn it is".
 *
 * @param tenant the name of the token that the request came with, or what its webhook says; at most
 *     200 characters
 */
public record Precedence(Priority priority, String tenant) {
  /** Of requests that say nothing of it. */
  public static final Precedence UNSAID = new Precedence(Priority.INTERACTIVE, "");

  private static final int MAX_TENANT_CHARS = 200;

  /** How urgently; the more urgent first. */
  public enum Priority {
    /** Somebody waits for it. */
    INTERACTIVE,
    /** It is one of very many, such as those of a mirror. */
    BULK
  }

  public Precedence {
    if (tenant.length() > MAX_TENANT_CHARS) {
      throw new IllegalArgumentException(
          "a tenant's name has at most "
              + MAX_TENANT_CHARS
              + " characters, not "
              + tenant.length());
    }
  }

  /** With a name that may be too long, which is cut. */
  public static Precedence of(Priority priority, String name) {
    return new Precedence(
        priority, name.length() <= MAX_TENANT_CHARS ? name : name.substring(0, MAX_TENANT_CHARS));
  }
}
