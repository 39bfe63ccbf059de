package io.lamina.gateway.problem;

import java.util.Locale;

/**
 * The stable kinds of errors of the API; {@link #urn} never changes its meaning.
 *
 * <p>Source: docs/api.md, "Errors". Immutable.
 */
public enum ProblemType {
  INVALID_REQUEST(400, "The request is malformed"),
  UNKNOWN_FIELD(400, "The request has a field that is not known"),
  INVALID_IMAGE(400, "The image reference cannot be used"),
  UNAUTHENTICATED(401, "A valid bearer token is needed"),
  FORBIDDEN(403, "The token does not allow this"),
  NOT_FOUND(404, "There is no such thing"),
  METHOD_NOT_ALLOWED(405, "The address does not know this method"),
  TIMEOUT(408, "The request took too long to arrive"),
  CONFLICT(409, "The present state does not allow this"),
  LENGTH_REQUIRED(411, "Content-Length is needed"),
  TOO_LARGE(413, "The request is too large"),
  ADDRESS_TOO_LONG(414, "The address is too long"),
  UNSUPPORTED_MEDIA_TYPE(415, "The body's media type is not supported"),
  DIGEST_MISMATCH(422, "The bytes are not what they should be"),
  IDEMPOTENCY_KEY_REUSED(422, "The idempotency key was used for another request"),
  TOO_MANY_REQUESTS(429, "Too much is under way"),
  HEADERS_TOO_LARGE(431, "The headers are too large"),
  INTERNAL(500, "The gateway failed"),
  NOT_SUPPORTED(501, "This gateway cannot do that"),
  UNAVAILABLE(503, "The gateway cannot do that now"),
  NO_ROOM(507, "There is no room left");

  private final int status;
  private final String title;

  ProblemType(int status, String title) {
    this.status = status;
    this.title = title;
  }

  /** HTTP status. */
  public int status() {
    return status;
  }

  public String title() {
    return title;
  }

  /** The problem document's {@code type}. */
  public String urn() {
    return "urn:lamina:problem:" + name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
