package io.lamina.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.ImageException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With real files and helper programs. */
class DockerCredentialsIT {
  @TempDir Path folder;

  @Test
  void readsEntriesOfConfigJson() throws IOException {
    write(
        """
        {"auths": {
          "quay.io": {"auth": "%s"},
          "https://index.docker.io/v1/": {"username": "hub", "password": "p"},
          "https://old.test/v1/": {"auth": "%s"},
          "token.test": {"identitytoken": "abc", "auth": "%s"},
          "ready.test:5000": {"registrytoken": "xyz"}
        }}
        """
            .formatted(base64("me:a:b"), base64("old:one"), base64("<token>:")));

    assertThat(find("quay.io")).contains(new Credentials.Password("me", "a:b"));
    assertThat(find("docker.io")).contains(new Credentials.Password("hub", "p"));
    assertThat(find("old.test")).contains(new Credentials.Password("old", "one"));
    assertThat(find("token.test")).contains(new Credentials.IdentityToken("abc"));
    assertThat(find("ready.test:5000")).contains(new Credentials.RegistryToken("xyz"));
    assertThat(find("other.test")).isEmpty();
    assertThat(find("ready.test")).isEmpty();
  }

  @Test
  void hasNoneWithoutAFile() {
    assertThat(find("quay.io")).isEmpty();
  }

  @Test
  void prefersTheFileOfTheHost() throws IOException {
    write("{\"auths\":{\"quay.io\":{\"username\":\"general\",\"password\":\"p\"}}}");
    Path own = folder.resolve("own.json");
    Files.writeString(own, "{\"auths\":{\"quay.io\":{\"username\":\"own\",\"password\":\"p\"}}}");
    RegistrySettings settings =
        settings()
            .withHost(
                "quay.io", new HostSettings(false, Optional.empty(), List.of(), Optional.of(own)));

    assertThat(credentials(settings).find("quay.io"))
        .contains(new Credentials.Password("own", "p"));
  }

  @Test
  void asksTheHelperOfTheHostBeforeTheStoreBeforeTheFile() throws IOException {
    write(
        """
        {"credHelpers": {"quay.io": "one"}, "credsStore": "store",
         "auths": {"quay.io": {"username": "file", "password": "p"},
                   "third.test": {"username": "file", "password": "p"}}}
        """);
    helper("one", "read server; echo '{\"Username\":\"one\",\"Secret\":\"'$server'\"}'");
    helper(
        "store",
        "read server; if [ $server = third.test ]; then"
            + " echo 'credentials not found in native keychain'; exit 1; fi;"
            + " echo '{\"Username\":\"<token>\",\"Secret\":\"'$server'\"}'");

    assertThat(find("quay.io")).contains(new Credentials.Password("one", "quay.io"));
    assertThat(find("other.test")).contains(new Credentials.IdentityToken("other.test"));
    assertThat(find("docker.io"))
        .contains(new Credentials.IdentityToken("https://index.docker.io/v1/"));
    assertThat(find("third.test")).contains(new Credentials.Password("file", "p"));
  }

  @Test
  void doesNotWaitForAHelperThatHangs() throws IOException {
    write("{\"credsStore\":\"slow\"}");
    helper("slow", "exec sleep 600");

    assertThatThrownBy(
            () ->
                new DockerCredentials(
                        settings(), new CredentialHelper(List.of(folder), Duration.ofMillis(300)))
                    .find("quay.io"))
        .isInstanceOf(ImageException.Retryable.class)
        .hasMessageContaining("did not answer");
  }

  @Test
  void saysWhatIsWrongWithAHelper() throws IOException {
    write("{\"credsStore\":\"none\"}");
    assertThatThrownBy(() -> find("quay.io"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("docker-credential-none")
        .hasMessageContaining("not installed");

    write("{\"credsStore\":\"../bad\"}");
    assertThatThrownBy(() -> find("quay.io")).hasMessageContaining("not the name");

    write("{\"credsStore\":\"bad\"}");
    helper("bad", "echo 'no keyring'; exit 3");
    assertThatThrownBy(() -> find("quay.io"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("exit code 3: no keyring");
  }

  @Test
  void neverShowsASecret() throws IOException {
    write("{\"auths\":{\"quay.io\":{\"auth\":\"c2VjcmV0\"}, \"password\":\"secret1\" oops}}");
    assertThatThrownBy(() -> find("quay.io"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("not valid JSON")
        .hasMessageNotContaining("secret")
        .hasNoCause();

    write("{\"auths\":{\"quay.io\":{\"auth\":\"c2VjcmV0\"}}}");
    assertThatThrownBy(() -> find("quay.io"))
        .hasMessageContaining("user:password")
        .hasMessageNotContaining("secret")
        .hasNoCause();

    write("{\"credsStore\":\"chatty\"}");
    helper("chatty", "echo '{\"Secret\":\"secret2\"'");
    assertThatThrownBy(() -> find("quay.io")).hasMessageNotContaining("secret2").hasNoCause();

    assertThat(new Credentials.Password("u", "secret3").toString()).doesNotContain("secret3");
    assertThat(new Credentials.IdentityToken("secret4").toString()).doesNotContain("secret4");
    assertThat(new Credentials.RegistryToken("secret5").toString()).doesNotContain("secret5");
  }

  @Test
  void takesItsPlacesFromTheEnvironment() {
    RegistrySettings settings =
        RegistrySettings.fromEnvironment(
            Map.of("HOME", "/home/x", "PATH", "/usr/bin:relative:/opt/bin"));

    assertThat(settings.dockerConfig()).contains(Path.of("/home/x/.docker/config.json"));
    assertThat(settings.helperFolders()).containsExactly(Path.of("/usr/bin"), Path.of("/opt/bin"));
    assertThat(
            RegistrySettings.fromEnvironment(Map.of("HOME", "/home/x", "DOCKER_CONFIG", "/etc/d"))
                .dockerConfig())
        .contains(Path.of("/etc/d/config.json"));
  }

  private Optional<Credentials> find(String registry) {
    return credentials(settings()).find(registry);
  }

  private DockerCredentials credentials(RegistrySettings settings) {
    return new DockerCredentials(
        settings, new CredentialHelper(settings.helperFolders(), Duration.ofMinutes(1)));
  }

  private RegistrySettings settings() {
    return RegistrySettings.DEFAULT.withCredentials(folder.resolve("config.json"), List.of(folder));
  }

  private void write(String json) throws IOException {
    Files.writeString(folder.resolve("config.json"), json);
  }

  private void helper(String name, String script) throws IOException {
    Path file = folder.resolve("docker-credential-" + name);
    Files.writeString(file, "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }
}
