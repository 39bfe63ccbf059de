package io.lamina.image.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.Platform;
import io.lamina.image.internal.Quoted;
import io.lamina.image.internal.StrictJson;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads manifests and indexes of Docker schema 2 and OCI. Thread-safe.
 *
 * <p>A document must be one thing only: with the fields of both kinds, or with another media type
 * inside than the transport stated, it is refused, since readers would disagree on what it is.
 */
public final class ManifestJson {
  /** The longest manifest or index that is read, in bytes. */
  public static final int MAX_BYTES = 4 << 20;

  /** More layers than any runtime stacks. */
  public static final int MAX_LAYERS = 500;

  private static final int MAX_ENTRIES = 2000;
  private static final int MAX_ANNOTATIONS = 200;
  private static final String ATTESTATION = "vnd.docker.reference.type";

  private ManifestJson() {}

  /**
   * @param where for messages: the image that this belongs to
   * @throws ImageException.Rejected if it is malformed, ambiguous, schema 1, or over a limit
   */
  public static Manifest parse(String where, FetchedManifest fetched) {
    String what = where + ": manifest " + fetched.digest();
    if (fetched.bytes().length > MAX_BYTES) {
      throw new ImageException.Rejected(what + " is longer than " + MAX_BYTES + " bytes");
    }
    try {
      return read(what, fetched, StrictJson.parseObject(fetched.bytes()));
    } catch (IOException e) {
      throw new ImageException.Rejected(
          what + " is not valid JSON: " + Quoted.plain(String.valueOf(e.getMessage()), 200), e);
    }
  }

  private static Manifest read(String what, FetchedManifest fetched, ObjectNode json) {
    Optional<String> stated = fetched.mediaType().filter(ManifestJson::isManifestType);
    Optional<String> inside = StrictJson.nonEmptyText(json, "mediaType");
    if (json.path("schemaVersion").asInt(2) == 1
        || stated.filter(MediaTypes::isSchema1).isPresent()
        || inside.filter(MediaTypes::isSchema1).isPresent()) {
      throw new ImageException.Rejected(
          what
              + " has the outdated schema 1, which carries no verifiable config; push the image"
              + " again with a current client to get schema 2 or OCI");
    }
    if (stated.isPresent() && inside.isPresent() && !stated.equals(inside)) {
      throw new ImageException.Rejected(
          what
              + " was served as "
              + Quoted.of(stated.get())
              + " but calls itself "
              + Quoted.of(inside.get()));
    }
    boolean isIndex = json.has("manifests");
    if (isIndex == (json.has("layers") || json.has("config"))) {
      throw new ImageException.Rejected(
          what
              + (isIndex
                  ? " is index and image at once (it has 'manifests' beside 'layers' or 'config')"
                  : " is neither an image ('config', 'layers') nor an index ('manifests')"));
    }
    String type =
        inside.or(() -> stated).orElse(isIndex ? MediaTypes.OCI_INDEX : MediaTypes.OCI_MANIFEST);
    if (isIndex ? !MediaTypes.isIndex(type) : !MediaTypes.isImageManifest(type)) {
      throw new ImageException.Rejected(
          what
              + " has the media type "
              + Quoted.of(type)
              + " but the fields of "
              + (isIndex ? "an index" : "an image"));
    }
    return isIndex ? index(what, type, json) : image(what, type, json);
  }

  private static boolean isManifestType(String type) {
    return MediaTypes.isIndex(type)
        || MediaTypes.isImageManifest(type)
        || MediaTypes.isSchema1(type);
  }

  private static Manifest.Image image(String what, String type, ObjectNode json) {
    Descriptor config = descriptor(what + ", config", json.path("config"));
    List<Descriptor> layers = new ArrayList<>();
    for (JsonNode layer : array(what, json, "layers", MAX_LAYERS)) {
      layers.add(descriptor(what + ", layer " + layers.size(), layer));
    }
    return new Manifest.Image(type, config, layers);
  }

  private static Manifest.Index index(String what, String type, ObjectNode json) {
    List<IndexEntry> entries = new ArrayList<>();
    for (JsonNode entry : array(what, json, "manifests", MAX_ENTRIES)) {
      entries.add(entry(what + ", entry " + entries.size(), entry));
    }
    return new Manifest.Index(type, entries);
  }

  private static IndexEntry entry(String what, JsonNode json) {
    Descriptor descriptor = descriptor(what, json);
    Map<String, String> annotations = annotations(what, json.path("annotations"));
    JsonNode platform = json.path("platform");
    if (!platform.isObject()) {
      return new IndexEntry(
          descriptor, Optional.empty(), !annotations.containsKey(ATTESTATION), annotations);
    }
    String os = StrictJson.text(platform, "os").orElse("");
    String architecture = StrictJson.text(platform, "architecture").orElse("");
    boolean isUnknown = os.equals("unknown") || architecture.equals("unknown");
    if (isUnknown || annotations.containsKey(ATTESTATION)) {
      return new IndexEntry(descriptor, Optional.empty(), false, annotations);
    }
    try {
      Platform stated =
          new Platform(os, architecture, StrictJson.nonEmptyText(platform, "variant"));
      return new IndexEntry(descriptor, Optional.of(stated), true, annotations);
    } catch (ImageException.Rejected unusual) {
      // A name that no request can ask for hides this entry, not its neighbours.
      return new IndexEntry(descriptor, Optional.empty(), false, annotations);
    }
  }

  private static Map<String, String> annotations(String what, JsonNode json) {
    if (json.size() > MAX_ANNOTATIONS) {
      throw new ImageException.Rejected(
          what + " has more than " + MAX_ANNOTATIONS + " annotations");
    }
    Map<String, String> annotations = new HashMap<>();
    json.properties()
        .forEach(
            field -> {
              if (field.getValue().isTextual()) {
                annotations.put(field.getKey(), field.getValue().textValue());
              }
            });
    return annotations;
  }

  private static JsonNode array(String what, ObjectNode json, String field, int max) {
    JsonNode array = json.path(field);
    if (array.isNull() || array.isMissingNode()) {
      return json.arrayNode();
    }
    if (!array.isArray()) {
      throw new ImageException.Rejected(what + ": '" + field + "' is not a list");
    }
    if (array.size() > max) {
      throw new ImageException.Rejected(
          what + " has " + array.size() + " " + field + "; the limit is " + max);
    }
    return array;
  }

  private static Descriptor descriptor(String what, JsonNode json) {
    JsonNode size = json.path("size");
    Optional<String> digest = StrictJson.text(json, "digest");
    if (digest.isEmpty() || !size.isIntegralNumber() || !size.canConvertToLong()) {
      throw new ImageException.Rejected(what + ": no digest or no size");
    }
    try {
      return new Descriptor(
          StrictJson.text(json, "mediaType").orElse(""),
          Digest.parse(digest.get()),
          size.longValue());
    } catch (ImageException.Rejected e) {
      throw new ImageException.Rejected(what + ": " + e.getMessage(), e);
    }
  }
}
