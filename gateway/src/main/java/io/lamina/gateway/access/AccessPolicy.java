package io.lamina.gateway.access;

import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Decides who calls. Immutable. */
public final class AccessPolicy {
  private static final String SCHEME = "bearer ";
  private static final int MAX_TOKEN_CHARS = 1024;

  private final Optional<AccessTokens> tokens;

  /**
   * @param tokens empty: every caller is the local operator
   */
  public AccessPolicy(Optional<AccessTokens> tokens) {
    this.tokens = tokens;
  }

  /**
   * Who sent this {@code Authorization} header.
   *
   * @throws GatewayException.Refused without a valid token, or with a role that is too low
   */
  public Caller admit(@Nullable String authorization, Role needed) {
    if (tokens.isEmpty()) {
      return Caller.LOCAL;
    }
    if (authorization == null) {
      throw new GatewayException.Refused(
          ProblemType.UNAUTHENTICATED,
          "this operation needs the header 'Authorization: Bearer TOKEN' with a token of role "
              + needed.text());
    }
    if (!authorization.toLowerCase(Locale.ROOT).startsWith(SCHEME)
        || authorization.length() > SCHEME.length() + MAX_TOKEN_CHARS) {
      throw new GatewayException.Refused(
          ProblemType.UNAUTHENTICATED,
          "the Authorization header must be 'Bearer TOKEN' with at most "
              + MAX_TOKEN_CHARS
              + " characters");
    }
    Caller caller =
        tokens
            .get()
            .callerOf(authorization.substring(SCHEME.length()).strip())
            .orElseThrow(
                () ->
                    new GatewayException.Refused(
                        ProblemType.UNAUTHENTICATED,
                        "the bearer token is not known here; check it with the operator"));
    if (!caller.role().includes(needed)) {
      throw new GatewayException.Refused(
          ProblemType.FORBIDDEN,
          "token '"
              + caller.name()
              + "' has role "
              + caller.role().text()
              + "; this operation needs "
              + needed.text());
    }
    return caller;
  }
}
