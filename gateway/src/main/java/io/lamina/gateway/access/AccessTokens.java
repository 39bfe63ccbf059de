package io.lamina.gateway.access;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.settings.ClosestName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The bearer tokens that are accepted, known by their SHA-256 only. A token is looked up by
 * comparing its hash with every known one in constant time. Immutable.
 *
 * <p>Source: docs/gateway.md, "Tokens".
 */
public final class AccessTokens {
  private static final int MAX_TOKENS = 1000;
  private static final long MAX_FILE_BYTES = 1 << 20;
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final List<String> KEYS = List.of("name", "sha256", "role", "repositories");
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private record Entry(byte[] sha256, Caller caller) {}

  private final List<Entry> entries;

  private AccessTokens(List<Entry> entries) {
    this.entries = List.copyOf(entries);
  }

  /**
   * Reads a token file.
   *
   * @throws GatewayException.Fatal naming the file and what is wrong in it
   */
  public static AccessTokens read(Path file) {
    try {
      long size = Files.size(file);
      if (size > MAX_FILE_BYTES) {
        throw new GatewayException.Fatal(
            "token file " + file + " has " + size + " bytes; at most " + MAX_FILE_BYTES);
      }
      return parse(Files.readString(file), file.toString());
    } catch (IOException e) {
      throw new GatewayException.Fatal("cannot read token file " + file + ": " + e, e);
    }
  }

  /** Reads the JSON form; {@code where} is named in errors. */
  public static AccessTokens parse(String json, String where) {
    JsonNode root;
    try {
      root = JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new GatewayException.Fatal(
          "token file " + where + " is not JSON: " + e.getOriginalMessage());
    }
    JsonNode tokens = root.path("tokens");
    if (!root.isObject() || root.size() != 1 || !tokens.isArray() || tokens.size() > MAX_TOKENS) {
      throw new GatewayException.Fatal(
          "token file "
              + where
              + " must be an object with one array 'tokens' of at most "
              + MAX_TOKENS
              + " entries");
    }
    List<Entry> entries = new ArrayList<>();
    Set<String> hashes = new HashSet<>();
    for (int i = 0; i < tokens.size(); i++) {
      Entry entry = entry(tokens.get(i), where + ", tokens[" + i + "]");
      if (!hashes.add(HexFormat.of().formatHex(entry.sha256()))) {
        throw new GatewayException.Fatal(where + ", tokens[" + i + "]: the same token again");
      }
      entries.add(entry);
    }
    return new AccessTokens(entries);
  }

  private static Entry entry(JsonNode node, String where) {
    if (!node.isObject()) {
      throw new GatewayException.Fatal(where + ": not an object");
    }
    for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!KEYS.contains(name)) {
        throw new GatewayException.Fatal(
            where + ": unknown key '" + name + "'" + ClosestName.hint(name, KEYS));
      }
    }
    String name = text(node, "name", NAME, where);
    String hash = text(node, "sha256", SHA256, where);
    String roleName = node.path("role").asText("");
    Role role =
        Role.named(roleName)
            .orElseThrow(
                () ->
                    new GatewayException.Fatal(
                        where
                            + ": role '"
                            + roleName
                            + "' is not one of reader, submitter, operator"));
    return new Entry(
        HexFormat.of().parseHex(hash), new Caller(name, role, repositories(node, where)));
  }

  private static Optional<Set<RepositoryName>> repositories(JsonNode node, String where) {
    JsonNode list = node.path("repositories");
    if (!list.isArray() || list.isEmpty()) {
      throw new GatewayException.Fatal(
          where + ": 'repositories' must be an array of names, or [\"*\"] for all");
    }
    if (list.size() == 1 && list.get(0).asText().equals("*")) {
      return Optional.empty();
    }
    Set<RepositoryName> names = new HashSet<>();
    for (JsonNode item : list) {
      try {
        names.add(new RepositoryName(item.asText()));
      } catch (CvmfsException.Rejected e) {
        throw new GatewayException.Fatal(where + ": " + e.getMessage(), e);
      }
    }
    return Optional.of(names);
  }

  private static String text(JsonNode node, String key, Pattern form, String where) {
    JsonNode value = node.path(key);
    if (!value.isTextual() || !form.matcher(value.asText()).matches()) {
      throw new GatewayException.Fatal(where + ": '" + key + "' must match " + form.pattern());
    }
    return value.asText();
  }

  /** The caller whose token this is. */
  public Optional<Caller> callerOf(String token) {
    byte[] presented = sha256(token);
    Optional<Caller> found = Optional.empty();
    // Every entry is compared, so the time says nothing about which one matched.
    for (Entry entry : entries) {
      if (MessageDigest.isEqual(entry.sha256(), presented)) {
        found = Optional.of(entry.caller());
      }
    }
    return found;
  }

  private static byte[] sha256(String token) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }
}
