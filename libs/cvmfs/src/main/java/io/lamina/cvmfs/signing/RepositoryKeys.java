package io.lamina.cvmfs.signing;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The keys with which a repository is published: the release manager's key and certificate, and the
 * master key where it is present. The private keys never leave this object except by {@link #save}.
 *
 * <p>Source: docs/format/manifest.md, "Keys". Immutable, thread-safe; {@code toString} shows no
 * secret.
 */
public final class RepositoryKeys {
  private static final int KEY_BITS = 2048;
  private static final String PKCS1_LABEL = "RSA PRIVATE KEY";
  private static final String PKCS8_LABEL = "PRIVATE KEY";

  private final RepositoryName repository;
  private final Optional<RSAPrivateCrtKey> masterKey;
  private final RSAPublicKey masterPublicKey;
  private final RSAPrivateCrtKey releaseKey;
  private final RepositoryCertificate certificate;

  private RepositoryKeys(
      RepositoryName repository,
      Optional<RSAPrivateCrtKey> masterKey,
      RSAPublicKey masterPublicKey,
      RSAPrivateCrtKey releaseKey,
      RepositoryCertificate certificate) {
    this.repository = repository;
    this.masterKey = masterKey;
    this.masterPublicKey = masterPublicKey;
    this.releaseKey = releaseKey;
    this.certificate = certificate;
  }

  /** New RSA-2048 keys and a self-signed certificate that is valid for a year from now. */
  public static RepositoryKeys generate(
      RepositoryName repository, SecureRandom random, Clock clock) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(KEY_BITS, random);
      KeyPair master = generator.generateKeyPair();
      KeyPair release = generator.generateKeyPair();
      return new RepositoryKeys(
          repository,
          Optional.of((RSAPrivateCrtKey) master.getPrivate()),
          (RSAPublicKey) master.getPublic(),
          (RSAPrivateCrtKey) release.getPrivate(),
          RepositoryCertificate.selfSigned(
              repository, (RSAPublicKey) release.getPublic(), release.getPrivate(), random, clock));
    } catch (GeneralSecurityException e) {
      throw new CvmfsException.Rejected("cannot generate keys for " + repository, e);
    }
  }

  /**
   * Reads {@code NAME.pub}, {@code .key}, {@code .crt} and, if it is there, {@code .masterkey}.
   *
   * @throws CvmfsException.NotFound if one of the first three is missing
   * @throws CvmfsException.Rejected if one cannot be read, or two that belong together do not match
   */
  public static RepositoryKeys load(Path folder, RepositoryName repository) {
    Path pub = file(folder, repository, "pub");
    Path key = file(folder, repository, "key");
    Path crt = file(folder, repository, "crt");
    Path master = file(folder, repository, "masterkey");
    RSAPublicKey masterPublicKey = MasterKeys.parseKey(KeyFiles.read(pub), pub.toString());
    RSAPrivateCrtKey releaseKey = parsePrivate(KeyFiles.read(key), key);
    RepositoryCertificate certificate = RepositoryCertificate.parse(KeyFiles.read(crt));
    requirePair(releaseKey, certificate.publicKey(), key, crt);
    Optional<RSAPrivateCrtKey> masterKey = Optional.empty();
    if (Files.exists(master)) {
      RSAPrivateCrtKey loaded = parsePrivate(KeyFiles.read(master), master);
      requirePair(loaded, masterPublicKey, master, pub);
      masterKey = Optional.of(loaded);
    }
    return new RepositoryKeys(repository, masterKey, masterPublicKey, releaseKey, certificate);
  }

  /**
   * Writes the files into {@code folder}, which is made if need be: private keys with mode 0400,
   * the others with 0444, all durable on return. Existing keys are never overwritten; if one cannot
   * be written, those written before it are removed again.
   */
  public void save(Path folder) {
    List<KeyFile> files = new ArrayList<>();
    masterKey.ifPresent(
        key -> files.add(new KeyFile("masterkey", encodePrivate(key), KeyFiles.SECRET)));
    byte[] pub = Pem.encode(MasterKeys.LABEL, masterPublicKey.getEncoded());
    files.add(new KeyFile("pub", pub, KeyFiles.PUBLIC));
    files.add(new KeyFile("key", encodePrivate(releaseKey), KeyFiles.SECRET));
    files.add(new KeyFile("crt", certificate.pem(), KeyFiles.PUBLIC));
    List<Path> written = new ArrayList<>();
    try {
      Files.createDirectories(folder);
      for (KeyFile keyFile : files) {
        Path path = file(folder, repository, keyFile.extension());
        KeyFiles.create(path, keyFile.content(), keyFile.permissions());
        written.add(path);
      }
    } catch (IOException e) {
      throw new CvmfsException.Rejected("cannot make the key folder " + folder, e);
    } catch (CvmfsException e) {
      removeAll(written, e);
      throw e;
    }
  }

  public RepositoryName repository() {
    return repository;
  }

  public RepositoryCertificate certificate() {
    return certificate;
  }

  /** The public half of the master key, which readers need. */
  public MasterKeys masterKeys() {
    return new MasterKeys(List.of(masterPublicKey));
  }

  /** The {@code .pub} file's bytes, for readers. */
  public byte[] masterPublicPem() {
    return Pem.encode(MasterKeys.LABEL, masterPublicKey.getEncoded());
  }

  public boolean hasMasterKey() {
    return masterKey.isPresent();
  }

  /**
   * Signs a manifest with the release manager's key.
   *
   * @throws CvmfsException.Rejected if it is another repository's, or grows over the size that the
   *     original tools read
   */
  public SignedManifest sign(Manifest manifest) {
    requireOwn(manifest.repository());
    return SignedManifest.sign(manifest, releaseKey);
  }

  /**
   * A signed whitelist that vouches for this certificate from now on.
   *
   * @throws CvmfsException.Rejected if the master key is not present
   */
  public SignedWhitelist issueWhitelist(Duration life, Clock clock) {
    return sign(Whitelist.issue(repository, List.of(certificate), life, clock));
  }

  /**
   * Signs a whitelist with the master key.
   *
   * @throws CvmfsException.Rejected if that key is not present
   */
  public SignedWhitelist sign(Whitelist whitelist) {
    requireOwn(whitelist.repository());
    RSAPrivateCrtKey key =
        masterKey.orElseThrow(
            () ->
                new CvmfsException.Rejected(
                    "the master key of "
                        + repository
                        + " is not here: sign the whitelist where "
                        + repository
                        + ".masterkey lies"));
    return SignedWhitelist.sign(whitelist, key);
  }

  @Override
  public String toString() {
    return "keys of " + repository + (hasMasterKey() ? " with" : " without") + " master key";
  }

  private void requireOwn(RepositoryName other) {
    if (!repository.equals(other)) {
      throw new CvmfsException.Rejected(
          "the keys of " + repository + " cannot sign for repository " + other);
    }
  }

  private static void removeAll(List<Path> files, CvmfsException reason) {
    for (Path file : files) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        reason.addSuppressed(e);
      }
    }
  }

  private static Path file(Path folder, RepositoryName repository, String extension) {
    return folder.resolve(repository.value() + "." + extension);
  }

  private static void requirePair(
      RSAPrivateCrtKey secret, RSAPublicKey open, Path secretFile, Path openFile) {
    if (!secret.getModulus().equals(open.getModulus())) {
      throw new CvmfsException.Rejected(
          secretFile + " and " + openFile + " do not belong to the same key");
    }
  }

  private static RSAPrivateCrtKey parsePrivate(byte[] pem, Path file) {
    byte[] pkcs8;
    if (Pem.has(PKCS1_LABEL, pem)) {
      byte[] pkcs1 = Pem.decode(PKCS1_LABEL, pem, file.toString());
      pkcs8 =
          Der.sequence(Der.integer(BigInteger.ZERO), Der.RSA_ENCRYPTION, Der.octetString(pkcs1));
    } else {
      pkcs8 = Pem.decode(PKCS8_LABEL, pem, file.toString());
    }
    try {
      KeyFactory factory = KeyFactory.getInstance("RSA");
      if (factory.generatePrivate(new PKCS8EncodedKeySpec(pkcs8)) instanceof RSAPrivateCrtKey key) {
        return key;
      }
      throw new CvmfsException.Rejected(file + " holds an RSA key without its prime factors");
    } catch (GeneralSecurityException e) {
      // The cause is dropped: a parser's message may quote the content.
      throw new CvmfsException.Rejected(file + " is not an RSA private key");
    }
  }

  /** PKCS#1, as every version of the original tools reads it. */
  private static byte[] encodePrivate(RSAPrivateCrtKey key) {
    byte[] der =
        Der.sequence(
            Der.integer(BigInteger.ZERO),
            Der.integer(key.getModulus()),
            Der.integer(key.getPublicExponent()),
            Der.integer(key.getPrivateExponent()),
            Der.integer(key.getPrimeP()),
            Der.integer(key.getPrimeQ()),
            Der.integer(key.getPrimeExponentP()),
            Der.integer(key.getPrimeExponentQ()),
            Der.integer(key.getCrtCoefficient()));
    return Pem.encode(PKCS1_LABEL, der);
  }

  private record KeyFile(String extension, byte[] content, String permissions) {}
}
