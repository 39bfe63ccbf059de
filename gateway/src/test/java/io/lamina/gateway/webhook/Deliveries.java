package io.lamina.gateway.webhook;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Deliveries as registries send them, half a minute before {@link #NOW}, and webhooks for them. */
public final class Deliveries {
  public static final Instant NOW = Instant.parse("2026-11-20T12:00:00Z");
  public static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);
  public static final String SECRET = "a secret of some length";
  public static final String REPOSITORY = "unpacked.example.org";
  public static final String DIGEST = "sha256:" + "ab".repeat(32);
  public static final String EVENTS_TYPE = "application/vnd.docker.distribution.events.v2+json";

  public static final String DISTRIBUTION =
      """
      {"events": [{
         "id": "6c2a4f0e-58a1-4b6e-9c1c-0f6f2f0f7d11",
         "timestamp": "2026-11-20T12:59:30.123456789+01:00",
         "action": "push",
         "target": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": "%s",
            "size": 708, "length": 708,
            "repository": "team/app",
            "url": "http://registry.example.org:5000/v2/team/app/manifests/%s",
            "tag": "1.2"
         },
         "request": {"id": "f1", "addr": "192.0.2.7:51234", "host": "registry.example.org:5000",
            "method": "PUT", "useragent": "docker/27.0"},
         "actor": {"name": "ci"},
         "source": {"addr": "node-1:5000", "instanceID": "e1"}
      }]}"""
          .formatted(DIGEST, DIGEST);

  public static final String HARBOR =
      """
      {"type": "PUSH_ARTIFACT", "occur_at": 1795175970, "operator": "robot$ci",
       "event_data": {
         "resources": [{"digest": "%s", "tag": "1.2",
            "resource_url": "harbor.example.org/project/team/app:1.2"}],
         "repository": {"date_created": 1795000000, "name": "team/app", "namespace": "project",
            "repo_full_name": "project/team/app", "repo_type": "private"}}}"""
          .formatted(DIGEST);

  public static final String HARBOR_CLOUD_EVENT =
      """
      {"specversion": "1.0", "id": "9b1f2f0e-0f43-45a7-8b4e-1f1a2b3c4d5e", "requestid": "r1",
       "source": "/projects/1/webhook/policies/3", "type": "harbor.artifact.pushed",
       "datacontenttype": "application/json", "time": "2026-11-20T11:59:30Z", "operator": "admin",
       "data": {
         "resources": [{"digest": "%s", "tag": "1.2",
            "resource_url": "harbor.example.org/project/team/app:1.2"}],
         "repository": {"name": "team/app", "namespace": "project",
            "repo_full_name": "project/team/app", "repo_type": "private"}}}"""
          .formatted(DIGEST);

  public static final String DOCKER_HUB =
      """
      {"callback_url": "http://127.0.0.1:1/u/team/app/hook/2141/",
       "push_data": {"pushed_at": 1795175970, "pusher": "ci", "tag": "1.2"},
       "repository": {"comment_count": 0, "is_official": false, "is_private": true, "name": "app",
         "namespace": "team", "owner": "team", "repo_name": "team/app",
         "repo_url": "https://hub.docker.com/r/team/app", "status": "Active"}}""";

  public static final String GITHUB =
      """
      {"action": "published",
       "registry_package": {
         "id": 10696, "name": "tools/app", "namespace": "Team", "ecosystem": "CONTAINER",
         "package_type": "CONTAINER", "created_at": "2024-05-09T23:28:29Z",
         "updated_at": "2024-05-09T23:28:29Z", "owner": {"login": "Team", "id": 1},
         "package_version": {
           "id": 57755791, "version": "%s", "name": "%s", "description": "",
           "created_at": "0001-01-01T00:00:00Z", "updated_at": "0001-01-01T00:00:00Z",
           "container_metadata": {
             "tag": {"name": "1.2", "digest": "%s"},
             "labels": {"description": "", "all_labels": {}},
             "manifest": {"digest": "%s", "media_type": "application/vnd.oci.image.index.v1+json"}},
           "installation_command": "docker pull ghcr.io/Team/tools/app:1.2",
           "package_url": "ghcr.io/Team/tools/app:1.2"},
         "registry": {"name": "GitHub CONTAINER registry", "type": "CONTAINER"}},
       "repository": {"id": 1, "full_name": "Team/tools"},
       "sender": {"login": "ci"}}"""
          .formatted(DIGEST, DIGEST, DIGEST, DIGEST);

  public static final String QUAY =
      """
      {"name": "app", "repository": "team/app", "namespace": "team",
       "docker_url": "quay.example.org/team/app",
       "homepage": "https://quay.example.org/repository/team/app",
       "updated_tags": ["latest", "1.2"]}""";

  private Deliveries() {}

  /** The delivery of a distribution registry with another event, or another field of it. */
  public static String distribution(String path, Object value) {
    JsonObject body = new JsonObject(DISTRIBUTION);
    JsonObject at = body.getJsonArray("events").getJsonObject(0);
    String[] names = path.split("\\.");
    for (int i = 0; i < names.length - 1; i++) {
      at = at.getJsonObject(names[i]);
    }
    at.put(names[names.length - 1], value);
    return body.encode();
  }

  /** So many different pushes in one delivery. */
  public static String many(int events) {
    JsonArray all = new JsonArray();
    for (int i = 0; i < events; i++) {
      all.add(
          new JsonObject(distribution("target.tag", "t" + i))
              .getJsonArray("events")
              .getJsonObject(0)
              .put("id", "event-" + i));
    }
    return new JsonObject().put("events", all).encode();
  }

  /** A file that only its owner reads. */
  public static Path secretFile(Path folder) {
    try {
      Path file = folder.resolve("webhook-secret");
      if (!Files.exists(file)) {
        Files.writeString(file, SECRET + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
      }
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A webhook for each format, named as the format is. */
  public static Map<String, String> settings(Path folder) {
    Map<String, String> all = new HashMap<>();
    Map.of(
            "distribution", "registry.example.org:5000",
            "harbor", "harbor.example.org",
            "docker-hub", "docker.io",
            "github", "ghcr.io",
            "quay", "quay.example.org")
        .forEach(
            (name, registry) -> {
              String prefix = "gateway.webhook." + name + ".";
              all.put(prefix + "format", name);
              all.put(prefix + "registry", registry);
              all.put(prefix + "secret-file", secretFile(folder).toString());
              all.put(prefix + "repository", REPOSITORY);
            });
    all.put("gateway.webhook.docker-hub.authentication", "query");
    return all;
  }

  /** As GitHub signs a body. */
  public static String signature(String body, String secret) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
      return "sha256="
          + HexFormat.of().formatHex(mac.doFinal(body.getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
