package io.lamina.repository;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.repository.RepositoryDefinition.Backend;
import io.lamina.repository.RepositoryDefinition.Settings;
import io.lamina.storage.StorageException;
import io.lamina.storage.StorageLocation;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.Optional;
import java.util.Set;

/** The text form of a definition: fields in fixed order, unknown ones refused. Thread-safe. */
final class RepositoryDefinitionJson {
  private static final int VERSION = 1;
  private static final String SERVER = "cvmfs-server";
  private static final String WORD_NATIVE = Backend.Native.WORD;
  private static final String WORD_SERVER = Backend.CvmfsServer.WORD;
  private static final Set<String> SERVER_FIELDS =
      Set.of("read", "public-key", "command", "mount", "spool", "timeout-seconds", "losses");
  private static final Set<String> FIELDS =
      Set.of(
          "version",
          "name",
          "storage",
          "keys",
          "backend",
          SERVER,
          "created",
          "ttl-seconds",
          "flat",
          "garbage-collectable",
          "tags",
          "generic-tags");
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(JsonReadFeature.ALLOW_JAVA_COMMENTS)
          .build();

  private RepositoryDefinitionJson() {}

  static byte[] encode(RepositoryDefinition definition) {
    Settings settings = definition.settings();
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("version", VERSION);
    node.put("name", definition.name().value());
    definition.storage().ifPresent(storage -> node.put("storage", storage.toString()));
    definition.keys().ifPresent(keys -> node.put("keys", keys.toString()));
    node.put("backend", definition.backend().word());
    if (definition.backend() instanceof Backend.CvmfsServer server) {
      node.set(SERVER, encode(server));
    }
    node.put("created", definition.createdAt().toString());
    node.put("ttl-seconds", settings.ttl().toSeconds());
    node.put("flat", settings.flat());
    node.put("garbage-collectable", settings.garbageCollectable());
    node.put("tags", settings.tags());
    node.put("generic-tags", settings.genericTags());
    return (node.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
  }

  /**
   * @throws RepositoryException.Rejected naming the file and the field
   */
  static RepositoryDefinition decode(byte[] bytes, Path file) {
    try {
      JsonNode node = MAPPER.readTree(bytes);
      if (!(node instanceof ObjectNode object)) {
        throw new RepositoryException.Rejected("not a JSON object");
      }
      long version = number(object, "version", VERSION);
      if (version != VERSION) {
        throw new RepositoryException.Rejected(
            "it has version " + version + ", this software knows version " + VERSION);
      }
      requireKnown(object, FIELDS);
      RepositoryName name = new RepositoryName(text(object, "name").orElse(""));
      return new RepositoryDefinition(
          name,
          text(object, "storage").map(StorageLocation::parse),
          text(object, "keys").map(Path::of),
          backend(object, name),
          new Settings(
              Duration.ofSeconds(number(object, "ttl-seconds", Settings.DEFAULT.ttl().toSeconds())),
              flag(object, "flat", Settings.DEFAULT.flat()),
              flag(object, "garbage-collectable", Settings.DEFAULT.garbageCollectable()),
              flag(object, "tags", Settings.DEFAULT.tags()),
              Math.toIntExact(number(object, "generic-tags", Settings.DEFAULT.genericTags()))),
          Instant.parse(text(object, "created").orElse("")));
    } catch (JsonProcessingException
        | java.io.UncheckedIOException
        | CvmfsException.Rejected
        | RepositoryException.Rejected
        | StorageException.Rejected
        | InvalidPathException
        | DateTimeException
        | ArithmeticException e) {
      throw unreadable(file, e);
    } catch (java.io.IOException e) {
      throw unreadable(file, e);
    }
  }

  private static RepositoryException.Rejected unreadable(Path file, Exception e) {
    return new RepositoryException.Rejected(
        "the repository definition " + file + " cannot be used: " + e.getMessage(), e);
  }

  private static Optional<String> text(ObjectNode object, String field) {
    JsonNode value = object.get(field);
    if (value == null) {
      return Optional.empty();
    }
    if (!value.isTextual()) {
      throw new RepositoryException.Rejected("field '" + field + "' is not a text");
    }
    return Optional.of(value.textValue());
  }

  private static long number(ObjectNode object, String field, long byDefault) {
    JsonNode value = object.get(field);
    if (value == null) {
      return byDefault;
    }
    if (!value.canConvertToLong() || !value.isIntegralNumber()) {
      throw new RepositoryException.Rejected("field '" + field + "' is not a whole number");
    }
    return value.longValue();
  }

  private static boolean flag(ObjectNode object, String field, boolean byDefault) {
    JsonNode value = object.get(field);
    if (value == null) {
      return byDefault;
    }
    if (!value.isBoolean()) {
      throw new RepositoryException.Rejected("field '" + field + "' is neither true nor false");
    }
    return value.booleanValue();
  }

  private static void requireKnown(ObjectNode object, Set<String> fields) {
    for (Iterator<String> names = object.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!fields.contains(name)) {
        throw new RepositoryException.Rejected(
            "unknown field '" + name + "'; known are " + fields.stream().sorted().toList());
      }
    }
  }

  private static Backend backend(ObjectNode object, RepositoryName name) {
    String word = text(object, "backend").orElse(WORD_NATIVE);
    JsonNode server = object.get(SERVER);
    if (word.equals(WORD_SERVER)) {
      return server(server == null ? JsonNodeFactory.instance.objectNode() : server, name);
    }
    if (!word.equals(WORD_NATIVE)) {
      throw new RepositoryException.Rejected(
          "field 'backend' is '" + word + "'; known are " + WORD_NATIVE + " and " + WORD_SERVER);
    }
    if (server != null) {
      throw new RepositoryException.Rejected(
          "field '" + SERVER + "' is only for the backend " + WORD_SERVER);
    }
    return Backend.NATIVE;
  }

  private static ObjectNode encode(Backend.CvmfsServer server) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("read", server.read().toString());
    node.put("public-key", server.publicKey().toString());
    node.put("command", server.command().toString());
    node.put("mount", server.mount().toString());
    node.put("spool", server.spool().toString());
    node.put("timeout-seconds", server.timeout().toSeconds());
    node.put("losses", server.acceptsLosses() ? "accept" : "refuse");
    return node;
  }

  private static Backend.CvmfsServer server(JsonNode node, RepositoryName name) {
    if (!(node instanceof ObjectNode object)) {
      throw new RepositoryException.Rejected("field '" + SERVER + "' is not an object");
    }
    requireKnown(object, SERVER_FIELDS);
    Backend.CvmfsServer standard = Backend.CvmfsServer.standard(name);
    String losses = text(object, "losses").orElse("refuse");
    if (!losses.equals("refuse") && !losses.equals("accept")) {
      throw new RepositoryException.Rejected(
          "field 'losses' is '" + losses + "'; known are refuse and accept");
    }
    return new Backend.CvmfsServer(
        text(object, "read").map(RepositoryDefinitionJson::uri).orElse(standard.read()),
        text(object, "public-key").map(Path::of).orElse(standard.publicKey()),
        text(object, "command").map(Path::of).orElse(standard.command()),
        text(object, "mount").map(Path::of).orElse(standard.mount()),
        text(object, "spool").map(Path::of).orElse(standard.spool()),
        Duration.ofSeconds(number(object, "timeout-seconds", standard.timeout().toSeconds())),
        losses.equals("accept"));
  }

  private static URI uri(String text) {
    try {
      return new URI(text);
    } catch (URISyntaxException e) {
      throw new RepositoryException.Rejected("not an address: " + text, e);
    }
  }
}
