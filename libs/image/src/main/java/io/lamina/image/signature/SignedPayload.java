package io.lamina.image.signature;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.internal.StrictJson;
import java.io.IOException;
import java.util.Optional;

/**
 * What cosign signs: a small JSON document that names an image's digest. Source: "simple signing"
 * of containers/image, as cosign's signature specification uses it. Stateless.
 */
public final class SignedPayload {
  /** The longest that is read, in bytes. */
  public static final int MAX_BYTES = 64 << 10;

  private static final String TYPE = "cosign container image signature";

  private SignedPayload() {}

  /**
   * The digest that the document vouches for; nothing if it is about something else or malformed.
   */
  public static Optional<Digest> image(byte[] payload) {
    if (payload.length > MAX_BYTES) {
      return Optional.empty();
    }
    try {
      ObjectNode json = StrictJson.parseObject(payload);
      JsonNode critical = json.path("critical");
      if (!StrictJson.text(critical, "type").filter(TYPE::equals).isPresent()) {
        return Optional.empty();
      }
      return StrictJson.text(critical.path("image"), "docker-manifest-digest").map(Digest::parse);
    } catch (IOException | ImageException.Rejected e) {
      return Optional.empty();
    }
  }
}
