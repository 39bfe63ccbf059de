package io.lamina.repository;

import java.time.Instant;

/**
 * How a repository's whitelist stands. Clients refuse the repository once it has expired.
 *
 * @param expiresAt of the whitelist that lies in the repository now
 */
public record WhitelistState(Verdict verdict, Instant expiresAt) {
  /** What was found, and done about it. */
  public enum Verdict {
    /** It lasts longer than asked for. */
    VALID,
    /** It was about to expire, the master key is here, and it was signed again. */
    RENEWED,
    /** It is about to expire, and the master key is not here. */
    DUE,
    /** It has expired, and the master key is not here: clients refuse the repository. */
    EXPIRED
  }
}
