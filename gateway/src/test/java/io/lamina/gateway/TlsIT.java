package io.lamina.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.gateway.problem.GatewayException;
import io.lamina.settings.SettingsException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsIT {
  private static final String PASSWORD = "changeit";

  @TempDir static Path folder;
  private static SSLContext trusting;

  private static SSLContext known;
  private static SSLContext stranger;

  @BeforeAll
  static void makeKeys() throws Exception {
    KeyStore gateway = makeKey("gateway");
    pem("gateway.key", "PRIVATE KEY", key(gateway, "gateway").getEncoded());
    pem("gateway.crt", "CERTIFICATE", gateway.getCertificate("gateway").getEncoded());
    KeyStore client = makeKey("client");
    pem("client.crt", "CERTIFICATE", client.getCertificate("client").getEncoded());
    trusting = context(gateway, Optional.empty());
    known = context(gateway, Optional.of(client));
    stranger = context(gateway, Optional.of(makeKey("stranger")));
  }

  /** A key made by the JDK's own tool. */
  private static KeyStore makeKey(String name) throws Exception {
    Path p12 = folder.resolve(name + ".p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                name,
                "-keyalg",
                "EC",
                "-dname",
                "CN=" + name,
                "-ext",
                "SAN=ip:127.0.0.1",
                "-validity",
                "2",
                "-keystore",
                p12.toString(),
                "-storepass",
                PASSWORD)
            .redirectErrorStream(true)
            .start();
    String output = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(keytool.waitFor()).as(output).isZero();
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(p12)) {
      store.load(in, PASSWORD.toCharArray());
    }
    return store;
  }

  private static Key key(KeyStore store, String name) throws Exception {
    return store.getKey(name, PASSWORD.toCharArray());
  }

  /** Trusts the gateway, and shows a certificate if it has one. */
  private static SSLContext context(KeyStore gateway, Optional<KeyStore> own) throws Exception {
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("gateway", gateway.getCertificate("gateway"));
    trust.init(trusted);
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(own.orElse(null), PASSWORD.toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(own.isPresent() ? keys.getKeyManagers() : null, trust.getTrustManagers(), null);
    return context;
  }

  private static void pem(String name, String type, byte[] der) throws IOException {
    String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    Files.writeString(
        folder.resolve(name),
        "-----BEGIN " + type + "-----\n" + base64 + "\n-----END " + type + "-----\n");
  }

  @Test
  void speaksBothVersionsOverTls() throws Exception {
    try (TestGateway gateway =
        new TestGateway.Setup(folder)
            .with("gateway.tls.certificate", folder.resolve("gateway.crt").toString())
            .with("gateway.tls.key", folder.resolve("gateway.key").toString())
            .start()) {
      assertThat(gateway.process.address()).startsWith("https://");
      for (HttpClient.Version version : HttpClient.Version.values()) {
        try (HttpClient client =
            HttpClient.newBuilder().sslContext(trusting).version(version).build()) {
          HttpResponse<String> answer =
              client.send(
                  HttpRequest.newBuilder(URI.create(gateway.process.address() + "/version"))
                      .build(),
                  HttpResponse.BodyHandlers.ofString());

          assertThat(answer.statusCode()).isEqualTo(200);
          assertThat(answer.version()).isEqualTo(version);
        }
      }
    }
  }

  @Test
  void answersOnlyToClientsWhoseCertificateItKnows() throws Exception {
    try (TestGateway gateway =
        new TestGateway.Setup(folder)
            .with("gateway.tls.certificate", folder.resolve("gateway.crt").toString())
            .with("gateway.tls.key", folder.resolve("gateway.key").toString())
            .with("gateway.tls.clients", folder.resolve("client.crt").toString())
            .start()) {
      URI open = URI.create(gateway.process.address() + "/health/live");
      for (HttpClient.Version version : HttpClient.Version.values()) {
        assertThat(status(known, version, open)).isEqualTo(200);
        for (SSLContext other : List.of(trusting, stranger)) {
          assertThatThrownBy(() -> status(other, version, open)).isInstanceOf(IOException.class);
        }
      }
    }
  }

  private static int status(SSLContext context, HttpClient.Version version, URI uri)
      throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newBuilder().sslContext(context).version(version).build()) {
      return client
          .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.discarding())
          .statusCode();
    }
  }

  @Test
  void doesNotAskForClientsCertificatesWithoutItsOwn() {
    TestGateway.Setup setup =
        new TestGateway.Setup(folder)
            .with("gateway.tls.clients", folder.resolve("client.crt").toString());

    assertThatThrownBy(setup::start)
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("gateway.tls.clients needs gateway.tls.certificate");
  }

  @Test
  void doesNotStartWithoutTheKey() {
    TestGateway.Setup setup =
        new TestGateway.Setup(folder)
            .with("gateway.tls.certificate", folder.resolve("gateway.crt").toString())
            .with("gateway.tls.key", folder.resolve("nothing.key").toString());

    assertThatThrownBy(setup::start)
        .isInstanceOf(GatewayException.Fatal.class)
        .hasMessageContaining("cannot serve on 127.0.0.1")
        .hasMessageContaining("nothing.key");
  }

  @Test
  void saysWhichPortIsTaken() {
    try (TestGateway first = new TestGateway.Setup(folder).start()) {
      TestGateway.Setup second =
          new TestGateway.Setup(folder)
              .with("gateway.listen.port", Integer.toString(first.process.port()));

      assertThatThrownBy(second::start)
          .isInstanceOf(GatewayException.Fatal.class)
          .hasMessageContaining(":" + first.process.port())
          .hasMessageContaining("is the port in use (gateway.listen.port)?");
    }
  }
}
