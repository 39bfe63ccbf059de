package io.lamina.cvmfs.signing;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryName;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPublicKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.random.RandomGenerator;

/**
 * The certificate whose key signs manifests. Its name and dates mean nothing to clients: trust
 * comes from its fingerprint being on the whitelist.
 *
 * <p>Source: docs/format/manifest.md, "Certificate". Immutable.
 */
public final class RepositoryCertificate {
  /** Longer PEM files are refused. */
  public static final int MAX_BYTES = Pem.MAX_BYTES;

  static final String LABEL = "CERTIFICATE";

  private static final Duration LIFE = Duration.ofDays(365);
  private static final int MAX_NAME_CHARS = 30;
  private static final int SERIAL_BITS = 152;

  private final byte[] pem;
  private final byte[] der;
  private final RSAPublicKey publicKey;

  private RepositoryCertificate(byte[] pem, byte[] der, RSAPublicKey publicKey) {
    this.pem = pem;
    this.der = der;
    this.publicKey = publicKey;
  }

  /**
   * Reads the first certificate of a PEM file.
   *
   * @throws CvmfsException.Corrupt if there is none, or its key is not RSA
   */
  public static RepositoryCertificate parse(byte[] pem) {
    byte[] der;
    try {
      der = Pem.decode(LABEL, pem, "the repository certificate");
    } catch (CvmfsException.Rejected e) {
      throw new CvmfsException.Corrupt("unreadable repository certificate", e);
    }
    try {
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      X509Certificate certificate =
          (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(der));
      if (certificate.getPublicKey() instanceof RSAPublicKey key) {
        return new RepositoryCertificate(pem.clone(), certificate.getEncoded(), key);
      }
      throw new CvmfsException.Corrupt(
          "the repository certificate has a key of type "
              + certificate.getPublicKey().getAlgorithm()
              + ", expected RSA");
    } catch (CertificateException e) {
      throw new CvmfsException.Corrupt("the repository certificate is not X.509", e);
    }
  }

  static RepositoryCertificate selfSigned(
      RepositoryName repository,
      RSAPublicKey key,
      PrivateKey privateKey,
      RandomGenerator random,
      Clock clock)
      throws GeneralSecurityException {
    Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    byte[] name = Der.commonName(commonName(repository));
    byte[] toBeSigned =
        Der.sequence(
            Der.integer(serial(random)),
            Der.SHA256_WITH_RSA,
            name,
            Der.sequence(Der.time(now), Der.time(now.plus(LIFE))),
            name,
            key.getEncoded());
    Signature signer = Signature.getInstance("SHA256withRSA");
    signer.initSign(privateKey);
    signer.update(toBeSigned);
    byte[] der = Der.sequence(toBeSigned, Der.SHA256_WITH_RSA, Der.bitString(signer.sign()));
    return parse(Pem.encode(LABEL, der));
  }

  private static String commonName(RepositoryName repository) {
    String name = repository.value();
    String shown =
        name.length() > MAX_NAME_CHARS ? name.substring(0, MAX_NAME_CHARS) + "[...]" : name;
    return shown + " CernVM-FS Release Managers";
  }

  private static BigInteger serial(RandomGenerator random) {
    byte[] bytes = new byte[SERIAL_BITS / 8];
    random.nextBytes(bytes);
    return new BigInteger(1, bytes).setBit(SERIAL_BITS - 1);
  }

  /** A copy of the PEM file's bytes: the content of the certificate object. */
  public byte[] pem() {
    return pem.clone();
  }

  public RSAPublicKey publicKey() {
    return publicKey;
  }

  /** The hash of the certificate in DER, as whitelists list it. */
  public ContentHash fingerprint(HashAlgorithm algorithm) {
    return ContentHash.of(algorithm, algorithm.newDigest().digest(der));
  }
}
