package io.lamina.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.gateway.problem.GatewayException;
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
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsIT {
  private static final String PASSWORD = "changeit";

  @TempDir static Path folder;
  private static SSLContext trusting;

  /** A key made by the JDK's own tool, as PEM. */
  @BeforeAll
  static void makeKey() throws Exception {
    Path p12 = folder.resolve("key.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "gateway",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
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
    Key key = store.getKey("gateway", PASSWORD.toCharArray());
    pem("gateway.key", "PRIVATE KEY", key.getEncoded());
    pem("gateway.crt", "CERTIFICATE", store.getCertificate("gateway").getEncoded());
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    KeyStore known = KeyStore.getInstance("PKCS12");
    known.load(null, null);
    known.setCertificateEntry("gateway", store.getCertificate("gateway"));
    trust.init(known);
    trusting = SSLContext.getInstance("TLS");
    trusting.init(null, trust.getTrustManagers(), null);
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
