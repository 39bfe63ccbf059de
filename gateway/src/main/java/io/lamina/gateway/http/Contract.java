package io.lamina.gateway.http;

import static java.util.Objects.requireNonNull;

import io.lamina.gateway.access.Role;
import io.lamina.gateway.problem.GatewayException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.openapi.contract.OpenAPIContract;
import io.vertx.openapi.contract.Operation;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * The API's OpenAPI document: what is served, and what the routes are made from. Immutable.
 *
 * @param yaml as it was written
 * @param json the same
 */
record Contract(Buffer yaml, Buffer json, OpenAPIContract parsed) {
  private static final String RESOURCE = "/io/lamina/gateway/openapi.yaml";
  private static final Set<String> UNPARSED =
      Set.of("text/event-stream", "application/yaml", "application/cloudevents+json");
  private static final String ROLE = "x-lamina-role";

  static Future<Contract> load(Vertx vertx) {
    Buffer yaml = Buffer.buffer(resource(RESOURCE));
    Map<String, Object> tree =
        new Yaml(new SafeConstructor(new LoaderOptions())).load(yaml.toString());
    Buffer json = new JsonObject(tree).toBuffer();
    return OpenAPIContract.from(vertx, parseable(new JsonObject(json)))
        .map(parsed -> new Contract(yaml, json, parsed));
  }

  /** The parser refuses documents with media types that it does not know. */
  private static JsonObject parseable(JsonObject document) {
    map(map(document.getMap().get("components")).get("responses"))
        .values()
        .forEach(Contract::makeParseable);
    for (Object path : map(document.getMap().get("paths")).values()) {
      for (Object operation : map(path).values()) {
        if (map(operation).get("requestBody") instanceof Map<?, ?> body) {
          map(body.get("content")).keySet().removeAll(UNPARSED);
        }
        map(map(operation).get("responses")).values().forEach(Contract::makeParseable);
      }
    }
    return document;
  }

  private static void makeParseable(Object response) {
    if (map(response).get("content") == null) {
      return;
    }
    Map<String, Object> content = map(map(response).get("content"));
    Object problem = content.remove("application/problem+json");
    if (problem != null) {
      content.put("application/json", problem);
    }
    if (content.keySet().removeAll(UNPARSED) && content.isEmpty()) {
      map(response).remove("content");
    }
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> map(@Nullable Object json) {
    return json instanceof JsonObject object
        ? object.getMap()
        : (Map<String, Object>) requireNonNull(json);
  }

  /** What a caller must be allowed to do for an operation. */
  static Role roleOf(Operation operation) {
    Object name = operation.getExtensions().get(ROLE);
    return Role.named(String.valueOf(name))
        .orElseThrow(
            () ->
                new GatewayException.Fatal(
                    "operation " + operation.getOperationId() + " has no " + ROLE));
  }

  /** The names that a JSON body of the operation may have. */
  static Set<String> bodyFields(@Nullable Operation operation) {
    if (operation == null || operation.getRequestBody() == null) {
      return Set.of();
    }
    var json = operation.getRequestBody().getContent().get("application/json");
    if (json == null || json.getSchema() == null) {
      return Set.of();
    }
    JsonObject schema = json.getSchema().get("properties");
    return schema == null ? Set.of() : new LinkedHashSet<>(schema.fieldNames());
  }

  static byte[] resource(String name) {
    try (InputStream in = Contract.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new GatewayException.Fatal("resource " + name + " is missing from the jar");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
