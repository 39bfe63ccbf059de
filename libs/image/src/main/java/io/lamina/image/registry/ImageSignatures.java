package io.lamina.image.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.internal.StrictJson;
import io.lamina.image.signature.SignaturePolicy;
import io.lamina.image.signature.SignedPayload;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * Finds the signatures of an image beside it: under the tag {@code sha256-HEX.sig} lies a manifest
 * whose layers are the signed documents and whose annotations are the signatures. Source: cosign's
 * signature specification. Immutable.
 */
record ImageSignatures(SignaturePolicy policy, RegistryClient client) {
  private static final int MAX_SIGNATURES = 64;
  private static final int MAX_SIGNATURE_CHARS = 4096;
  private static final String SIGNATURE = "dev.cosignproject.cosign/signature";
  private static final String PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json";

  private record Signed(Descriptor payload, byte[] signature) {}

  /**
   * @param digests the signature of any of them will do: that of an index vouches for its images
   * @throws ImageException.Rejected if none is signed by a key of the policy
   * @throws ImageException.Retryable if the registry cannot be asked now
   */
  void require(ImageReference.Registry image, List<Digest> digests) {
    if (!policy.demands(image)) {
      return;
    }
    int seen = 0;
    for (Digest digest : digests.stream().distinct().toList()) {
      for (Signed signed : signatures(digest)) {
        seen++;
        byte[] payload = client.readBlob(signed.payload(), SignedPayload.MAX_BYTES);
        if (policy.isSigned(payload, signed.signature())
            && SignedPayload.image(payload).filter(digest::equals).isPresent()) {
          return;
        }
      }
    }
    throw new ImageException.Rejected(
        image.canonical()
            + " must be signed here (signatures.required), and "
            + (seen == 0
                ? "has no signature"
                : "none of its " + seen + " signatures is of a key that is known here for it")
            + "; sign "
            + digests.getFirst()
            + " with cosign and a key of signatures.keys");
  }

  private List<Signed> signatures(Digest digest) {
    byte[] manifest;
    try {
      manifest = client.manifest("sha256-" + digest.hex() + ".sig").bytes();
    } catch (ImageException.NotFound e) {
      return List.of();
    }
    ObjectNode json;
    try {
      json = StrictJson.parseObject(manifest);
    } catch (IOException e) {
      return List.of(); // Whatever it is, it is no signature.
    }
    List<Signed> signatures = new ArrayList<>();
    for (JsonNode layer : json.path("layers")) {
      if (signatures.size() == MAX_SIGNATURES) {
        break;
      }
      signed(layer).ifPresent(signatures::add);
    }
    return signatures;
  }

  private static Optional<Signed> signed(JsonNode layer) {
    Optional<String> text =
        StrictJson.nonEmptyText(layer.path("annotations"), SIGNATURE)
            .filter(t -> t.length() <= MAX_SIGNATURE_CHARS);
    JsonNode size = layer.path("size");
    boolean isPayload =
        StrictJson.text(layer, "mediaType").filter(PAYLOAD::equals).isPresent()
            && size.isIntegralNumber()
            && size.canConvertToLong()
            && size.longValue() > 0
            && size.longValue() <= SignedPayload.MAX_BYTES;
    if (text.isEmpty() || !isPayload) {
      return Optional.empty();
    }
    try {
      Digest digest = Digest.parse(StrictJson.text(layer, "digest").orElse(""));
      return Optional.of(
          new Signed(
              new Descriptor(PAYLOAD, digest, size.longValue()),
              Base64.getDecoder().decode(text.get().strip())));
    } catch (ImageException.Rejected | IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
