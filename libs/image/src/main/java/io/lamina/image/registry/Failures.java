package io.lamina.image.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.ImageException;
import io.lamina.image.internal.Quoted;
import io.lamina.image.internal.StrictJson;
import java.io.IOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Turns what goes wrong between us and a registry into this module's failures. */
final class Failures {
  private static final Set<Integer> PASSING = Set.of(408, 425, 429, 500, 502, 503, 504);
  private static final int MAX_BODY_BYTES = 64 << 10;
  private static final int MAX_ERRORS = 3;

  private Failures() {}

  /** Of a request that got no answer, or half of one. */
  static ImageException of(String what, String host, IOException failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof ImageException own) {
        return own;
      }
    }
    if (failure instanceof SSLException tls) {
      return tlsFailure(what, tls);
    }
    String why =
        hasCause(failure, UnresolvedAddressException.class)
                || hasCause(failure, UnknownHostException.class)
            ? "the host " + host + " is not known"
            : failure instanceof HttpTimeoutException
                ? "no answer in time (" + failure.getMessage() + ")"
                : failure instanceof ConnectException
                    ? "cannot connect to " + host
                    : String.valueOf(failure.getMessage());
    return new ImageException.Retryable(what + ": " + why, failure, null);
  }

  private static ImageException tlsFailure(String what, SSLException failure) {
    String message = what + ": TLS failed: " + failure.getMessage();
    if (hasCause(failure, GeneralSecurityException.class)) {
      return new ImageException.Rejected(
          message + "; if its certificate is of your own authority, set its CA file", failure);
    }
    // The JDK tells an answer without TLS by these texts alone.
    String text = String.valueOf(failure.getMessage());
    if (text.contains("plaintext connection")
        || text.contains("Unsupported or unrecognized SSL message")) {
      return new ImageException.Rejected(
          message + "; it seems to speak plain HTTP, which its settings must allow", failure);
    }
    return new ImageException.Retryable(message, failure, null);
  }

  private static boolean hasCause(Throwable failure, Class<?> type) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (type.isInstance(cause)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Of an answer with an unexpected status.
   *
   * @param identity whom we spoke as, for refusals
   */
  static ImageException of(
      String what,
      HttpAnswer answer,
      Backoff backoff,
      Duration patience,
      String identity,
      boolean isPush) {
    int status = answer.status();
    String message = what + ": status " + status + detail(answer, patience);
    if (status == 401 || status == 403) {
      String refused = message + " (asked " + identity + ")";
      return isPush
          ? new ImageException.Rejected(refused)
          : new ImageException.NotFound(
              refused + "; it does not exist, or these credentials may not see it");
    }
    if (status == 404) {
      return new ImageException.NotFound(message);
    }
    if (PASSING.contains(status)) {
      @Nullable Duration wait =
          answer.header("Retry-After").flatMap(backoff::retryAfter).orElse(null);
      return new ImageException.Retryable(message, null, wait);
    }
    return new ImageException.Rejected(message);
  }

  /** What the registry itself says, if it does. */
  private static String detail(HttpAnswer answer, Duration patience) {
    try {
      ObjectNode json = StrictJson.parseObject(answer.readBody(MAX_BODY_BYTES, patience));
      List<String> errors = new ArrayList<>();
      for (JsonNode error : json.path("errors")) {
        if (errors.size() == MAX_ERRORS) {
          break;
        }
        String code = StrictJson.text(error, "code").orElse("");
        String message = StrictJson.text(error, "message").orElse("");
        errors.add(Quoted.plain(code + ": " + message, 200));
      }
      return errors.isEmpty() ? "" : " (" + String.join("; ", errors) + ")";
    } catch (IOException | ImageException e) {
      // The status alone must do; a body that cannot be read is no failure of its own.
      return "";
    }
  }
}
