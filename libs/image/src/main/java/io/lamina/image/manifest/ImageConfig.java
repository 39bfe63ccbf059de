package io.lamina.image.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.internal.Quoted;
import io.lamina.image.internal.StrictJson;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What conversion needs of an image's config. Immutable.
 *
 * @param diffIds SHA-256 of each uncompressed layer, bottom first
 */
public record ImageConfig(
    Optional<String> os,
    Optional<String> architecture,
    Optional<String> variant,
    List<Digest> diffIds) {
  /** The longest config that is read, in bytes. */
  public static final int MAX_BYTES = 8 << 20;

  public ImageConfig {
    diffIds = List.copyOf(diffIds);
  }

  /**
   * @param where for messages: the image that this belongs to
   * @throws ImageException.Rejected if it is malformed or over a limit
   */
  public static ImageConfig parse(String where, byte[] json) {
    String what = where + ": config " + Digest.sha256(json);
    if (json.length > MAX_BYTES) {
      throw new ImageException.Rejected(what + " is longer than " + MAX_BYTES + " bytes");
    }
    ObjectNode config;
    try {
      config = StrictJson.parseObject(json);
    } catch (IOException e) {
      throw new ImageException.Rejected(
          what + " is not valid JSON: " + Quoted.plain(String.valueOf(e.getMessage()), 200), e);
    }
    JsonNode rootfs = config.path("rootfs");
    String type = StrictJson.text(rootfs, "type").orElse("layers");
    if (!type.equals("layers")) {
      throw new ImageException.Rejected(
          what + " has a root file system of the unknown type " + Quoted.of(type));
    }
    JsonNode ids = rootfs.path("diff_ids");
    if (ids.size() > ManifestJson.MAX_LAYERS) {
      throw new ImageException.Rejected(
          what + " names " + ids.size() + " layers; the limit is " + ManifestJson.MAX_LAYERS);
    }
    List<Digest> diffIds = new ArrayList<>();
    for (JsonNode id : ids) {
      try {
        diffIds.add(Digest.parse(id.asText()));
      } catch (ImageException.Rejected e) {
        throw new ImageException.Rejected(
            what + ", diff id " + diffIds.size() + ": " + e.getMessage(), e);
      }
    }
    return new ImageConfig(
        StrictJson.nonEmptyText(config, "os"),
        StrictJson.nonEmptyText(config, "architecture"),
        StrictJson.nonEmptyText(config, "variant"),
        diffIds);
  }
}
