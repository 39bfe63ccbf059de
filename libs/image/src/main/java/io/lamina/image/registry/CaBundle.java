package io.lamina.image.registry;

import io.lamina.image.ImageException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/** Trust in certificates of one's own besides the system's. */
final class CaBundle {
  private static final int MAX_BYTES = 4 << 20;

  private CaBundle() {}

  /**
   * @param file certificates in PEM, one after the other
   * @throws ImageException.Rejected if it cannot be read or holds none
   */
  static SSLContext contextTrusting(Path file) {
    try {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      int count = 0;
      for (Certificate certificate : certificates(file)) {
        store.setCertificateEntry("own-" + count++, certificate);
      }
      if (count == 0) {
        throw new ImageException.Rejected("no certificate in the CA file " + file);
      }
      for (X509Certificate certificate : trusted(null)) {
        store.setCertificateEntry("system-" + count++, certificate);
      }
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(store);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, factory.getTrustManagers(), null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new ImageException.Rejected(
          "cannot read the CA file " + file + " (certificates in PEM are expected)", e);
    }
  }

  private static Collection<? extends Certificate> certificates(Path file)
      throws IOException, GeneralSecurityException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] pem = in.readNBytes(MAX_BYTES + 1);
      if (pem.length > MAX_BYTES) {
        throw new ImageException.Rejected(
            "the CA file " + file + " is longer than " + MAX_BYTES + " bytes");
      }
      return CertificateFactory.getInstance("X.509")
          .generateCertificates(new ByteArrayInputStream(pem));
    }
  }

  private static X509Certificate[] trusted(@Nullable KeyStore store)
      throws GeneralSecurityException {
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    for (TrustManager manager : factory.getTrustManagers()) {
      if (manager instanceof X509TrustManager x509) {
        return x509.getAcceptedIssuers();
      }
    }
    return new X509Certificate[0];
  }
}
