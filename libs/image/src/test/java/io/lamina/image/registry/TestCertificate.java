package io.lamina.image.registry;

import io.lamina.image.internal.StrictJson;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.time.Instant;
import java.util.Base64;

/** A key with a certificate for 127.0.0.1, signed by itself; and tokens that it signs. */
record TestCertificate(Path pem, Path key, PrivateKey privateKey, Certificate certificate) {
  private static final String PASSWORD = "changeit";

  static TestCertificate create(Path folder) {
    try {
      Path store = folder.resolve("test.p12");
      Process keytool =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                  "-genkeypair",
                  "-alias",
                  "test",
                  "-keyalg",
                  "RSA",
                  "-keysize",
                  "2048",
                  "-validity",
                  "2",
                  "-dname",
                  "CN=127.0.0.1",
                  "-ext",
                  "san=ip:127.0.0.1,dns:localhost",
                  "-ext",
                  "bc:c",
                  "-storetype",
                  "PKCS12",
                  "-keystore",
                  store.toString(),
                  "-storepass",
                  PASSWORD)
              .redirectErrorStream(true)
              .start();
      String output = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (keytool.waitFor() != 0) {
        throw new IllegalStateException(output);
      }
      KeyStore keys = KeyStore.getInstance("PKCS12");
      try (InputStream in = Files.newInputStream(store)) {
        keys.load(in, PASSWORD.toCharArray());
      }
      PrivateKey key = (PrivateKey) keys.getKey("test", PASSWORD.toCharArray());
      Certificate certificate = keys.getCertificate("test");
      return new TestCertificate(
          pem(folder.resolve("cert.pem"), "CERTIFICATE", certificate.getEncoded()),
          pem(folder.resolve("key.pem"), "PRIVATE KEY", key.getEncoded()),
          key,
          certificate);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static Path pem(Path file, String kind, byte[] der) throws IOException {
    String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    return Files.writeString(
        file, "-----BEGIN " + kind + "-----\n" + body + "\n-----END " + kind + "-----\n");
  }

  /**
   * A token as the reference registry wants it.
   *
   * @param scope {@code repository:NAME:ACTIONS}
   */
  String token(String scope) {
    try {
      var header = StrictJson.newObject().put("typ", "JWT").put("alg", "RS256");
      header.putArray("x5c").add(Base64.getEncoder().encodeToString(certificate.getEncoded()));
      long now = Instant.now().getEpochSecond();
      var claims =
          StrictJson.newObject()
              .put("iss", "test-issuer")
              .put("sub", "alice")
              .put("aud", "test-registry")
              .put("exp", now + 300)
              .put("nbf", now - 60)
              .put("iat", now)
              .put("jti", "1");
      String[] parts = scope.split(":");
      var access =
          claims.putArray("access").addObject().put("type", parts[0]).put("name", parts[1]);
      var actions = access.putArray("actions");
      for (String action : parts[2].split(",")) {
        actions.add(action);
      }
      Base64.Encoder url = Base64.getUrlEncoder().withoutPadding();
      String signed =
          url.encodeToString(StrictJson.write(header))
              + "."
              + url.encodeToString(StrictJson.write(claims));
      Signature signature = Signature.getInstance("SHA256withRSA");
      signature.initSign(privateKey);
      signature.update(signed.getBytes(StandardCharsets.US_ASCII));
      return signed + "." + url.encodeToString(signature.sign());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
