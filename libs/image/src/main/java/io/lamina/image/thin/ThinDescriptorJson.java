package io.lamina.image.thin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.internal.Quoted;
import io.lamina.image.internal.StrictJson;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads and writes {@code thin.json}. The same descriptor always gives the same bytes; fields that
 * are not known are ignored. Thread-safe.
 */
public final class ThinDescriptorJson {
  /** The file's name at the root of the layer. */
  public static final String FILE_NAME = "thin.json";

  /** The longest file that is read, in bytes. */
  public static final int MAX_BYTES = 1 << 20;

  private static final String MIN_VERSION = "1.0";
  private static final Pattern VERSION = Pattern.compile("([0-9]{1,4})(?:\\.([0-9]{1,4}))?");

  private ThinDescriptorJson() {}

  public static byte[] write(ThinDescriptor descriptor) {
    ObjectNode json = StrictJson.newObject();
    json.put("version", ThinDescriptor.VERSION);
    json.put("min_version", MIN_VERSION);
    descriptor.origin().ifPresent(origin -> json.put("origin", origin));
    ArrayNode layers = json.putArray("layers");
    for (ThinDescriptor.Layer layer : descriptor.layers()) {
      ObjectNode node = layers.addObject();
      layer.digest().ifPresent(digest -> node.put("digest", digest.hex()));
      node.put("url", layer.url().toString());
    }
    descriptor.comment().ifPresent(comment -> json.put("comment", comment));
    return StrictJson.write(json);
  }

  /**
   * @throws ImageException.Rejected if it is malformed, too long, needs a newer reader, or names
   *     anything but folders of CVMFS repositories
   */
  public static ThinDescriptor read(byte[] bytes) {
    if (bytes.length > MAX_BYTES) {
      throw new ImageException.Rejected(FILE_NAME + " is longer than " + MAX_BYTES + " bytes");
    }
    ObjectNode json;
    try {
      json = StrictJson.parseObject(bytes);
    } catch (IOException e) {
      throw new ImageException.Rejected(
          FILE_NAME + " is not valid JSON: " + Quoted.plain(String.valueOf(e.getMessage()), 200),
          e);
    }
    checkVersion("version", StrictJson.text(json, "version").orElse(""), Integer.MAX_VALUE);
    Optional<String> needed = StrictJson.nonEmptyText(json, "min_version");
    needed.ifPresent(version -> checkVersion("min_version", version, 0));
    JsonNode layers = json.path("layers");
    if (!layers.isArray() || layers.size() > ThinDescriptor.MAX_LAYERS) {
      throw new ImageException.Rejected(
          FILE_NAME
              + ": 'layers' is not a list of at most "
              + ThinDescriptor.MAX_LAYERS
              + " layers");
    }
    List<ThinDescriptor.Layer> read = new ArrayList<>();
    for (JsonNode layer : layers) {
      try {
        read.add(layer(layer));
      } catch (ImageException.Rejected e) {
        throw new ImageException.Rejected(
            FILE_NAME + ", layer " + read.size() + ": " + e.getMessage(), e);
      }
    }
    return new ThinDescriptor(
        read, StrictJson.nonEmptyText(json, "origin"), StrictJson.nonEmptyText(json, "comment"));
  }

  private static ThinDescriptor.Layer layer(JsonNode json) {
    Optional<Digest> digest =
        StrictJson.nonEmptyText(json, "digest")
            .map(text -> text.contains(":") ? Digest.parse(text) : new Digest(text));
    return new ThinDescriptor.Layer(
        digest, CvmfsUrl.parse(StrictJson.text(json, "url").orElse("")));
  }

  private static void checkVersion(String field, String version, int newestMinor) {
    Matcher matcher = VERSION.matcher(version);
    if (!matcher.matches()) {
      throw new ImageException.Rejected(
          FILE_NAME + ": '" + field + "' is not a version: " + Quoted.of(version));
    }
    int minor = matcher.group(2) == null ? 0 : Integer.parseInt(matcher.group(2));
    if (!matcher.group(1).equals("1") || minor > newestMinor) {
      throw new ImageException.Rejected(
          FILE_NAME
              + " has "
              + field
              + " "
              + version
              + "; this reader knows version "
              + ThinDescriptor.VERSION
              + ", so a newer one is needed");
    }
  }
}
