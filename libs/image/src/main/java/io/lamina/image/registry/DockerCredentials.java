package io.lamina.image.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.ImageException;
import io.lamina.image.internal.StrictJson;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Finds credentials as Docker's client does: the host's credential helper, else the credential
 * store, else the entries of config.json. Thread-safe; reads the file at each call.
 */
final class DockerCredentials {
  private static final int MAX_BYTES = 1 << 20;
  private static final String HUB = "docker.io";
  private static final String HUB_SERVER = "https://index.docker.io/v1/";

  private final RegistrySettings settings;
  private final CredentialHelper helper;

  DockerCredentials(RegistrySettings settings, CredentialHelper helper) {
    this.settings = settings;
    this.helper = helper;
  }

  /**
   * @param registry as references name it
   * @throws ImageException.Rejected if the file is malformed or a helper fails
   */
  Optional<Credentials> find(String registry) {
    Optional<Path> file =
        settings.host(registry).credentialsFile().or(() -> settings.dockerConfig());
    return file.flatMap(path -> find(path, registry));
  }

  private Optional<Credentials> find(Path file, String registry) {
    Optional<ObjectNode> config = read(file);
    if (config.isEmpty()) {
      return Optional.empty();
    }
    List<String> names = names(registry);
    JsonNode helpers = config.get().path("credHelpers");
    for (String name : names) {
      Optional<String> program = StrictJson.nonEmptyText(helpers, name);
      if (program.isPresent()) {
        return helper.find(program.get(), name);
      }
    }
    Optional<Credentials> found =
        StrictJson.nonEmptyText(config.get(), "credsStore")
            .flatMap(store -> helper.find(store, names.getFirst()));
    return found.isPresent() ? found : fromFile(file, config.get().path("auths"), names);
  }

  private static Optional<ObjectNode> read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw new ImageException.Rejected(
            "the credentials file " + file + " is longer than " + MAX_BYTES + " bytes");
      }
      return Optional.of(StrictJson.parseObject(bytes));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      // The parser's own message may quote a secret.
      throw new ImageException.Rejected(
          "the credentials file "
              + file
              + " is not valid JSON"
              + (e.getLocation() == null ? "" : " at line " + e.getLocation().getLineNr()));
    } catch (IOException e) {
      throw new ImageException.Rejected("cannot read the credentials file " + file, e);
    }
  }

  /** The names that a registry may be filed under; the first is what helpers are asked for. */
  private static List<String> names(String registry) {
    return registry.equals(HUB)
        ? List.of(HUB_SERVER, "docker.io", "index.docker.io", "registry-1.docker.io")
        : List.of(registry);
  }

  private static Optional<Credentials> fromFile(Path file, JsonNode auths, List<String> names) {
    for (String name : names) {
      if (auths.path(name).isObject()) {
        return entry(file, name, auths.path(name));
      }
    }
    List<String> hosts = new ArrayList<>();
    names.forEach(name -> hosts.add(hostOf(name)));
    for (Map.Entry<String, JsonNode> each : auths.properties()) {
      if (each.getValue().isObject() && hosts.contains(hostOf(each.getKey()))) {
        return entry(file, each.getKey(), each.getValue());
      }
    }
    return Optional.empty();
  }

  /** Old clients filed credentials under URLs. */
  private static String hostOf(String key) {
    String host = key.replaceFirst("^https?://", "");
    int slash = host.indexOf('/');
    return (slash < 0 ? host : host.substring(0, slash)).toLowerCase(Locale.ROOT);
  }

  private static Optional<Credentials> entry(Path file, String name, JsonNode json) {
    Optional<String> identity = StrictJson.nonEmptyText(json, "identitytoken");
    if (identity.isPresent()) {
      return identity.map(Credentials.IdentityToken::new);
    }
    Optional<String> registryToken = StrictJson.nonEmptyText(json, "registrytoken");
    if (registryToken.isPresent()) {
      return registryToken.map(Credentials.RegistryToken::new);
    }
    Optional<String> auth = StrictJson.nonEmptyText(json, "auth");
    if (auth.isPresent()) {
      return Optional.of(decode(file, name, auth.get()));
    }
    Optional<String> user = StrictJson.nonEmptyText(json, "username");
    return user.map(u -> new Credentials.Password(u, StrictJson.text(json, "password").orElse("")));
  }

  private static Credentials decode(Path file, String name, String auth) {
    try {
      String text =
          new String(Base64.getDecoder().decode(auth.strip()), StandardCharsets.UTF_8)
              .replaceAll("\u0000+$", "");
      int colon = text.indexOf(':');
      if (colon > 0) {
        return new Credentials.Password(text.substring(0, colon), text.substring(colon + 1));
      }
    } catch (IllegalArgumentException e) {
      // Reported below; the cause would quote a secret.
    }
    throw new ImageException.Rejected(
        "the entry '" + name + "' of " + file + " is not Base64 of user:password");
  }
}
