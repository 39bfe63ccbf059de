package io.lamina.cvmfs.signing;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryName;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.time.Instant;

/**
 * A whitelist as it lies in the repository, with the master key's signature. The hash of its lines
 * is checked on parsing; nothing in it may be trusted before {@link #verify} has returned.
 *
 * <p>Source: docs/format/manifest.md, "Whitelist". Immutable.
 */
public final class SignedWhitelist {
  /** A longer file is refused. */
  public static final int MAX_BYTES = SignedText.MAX_BYTES;

  /** Padding only: unlike the manifest's, this signature names no digest algorithm. */
  private static final String ALGORITHM = "NONEwithRSA";

  private final SignedText text;
  private final Whitelist whitelist;

  private SignedWhitelist(SignedText text, Whitelist whitelist) {
    this.text = text;
    this.whitelist = whitelist;
  }

  /**
   * Reads the file {@code .cvmfswhitelist}.
   *
   * @throws CvmfsException.Corrupt if it is malformed or its lines do not have the promised hash
   * @throws CvmfsException.Rejected if it demands PKCS#7 or a chain of certificates
   */
  public static SignedWhitelist parse(byte[] file) {
    SignedText text = SignedText.parse(file, "the whitelist");
    return new SignedWhitelist(text, Whitelist.parse(text.body()));
  }

  static SignedWhitelist sign(Whitelist whitelist, PrivateKey masterKey) {
    byte[] body = whitelist.encode();
    ContentHash hash = SignedText.hashOf(body, HashAlgorithm.SHA1);
    SignedText unsigned = new SignedText(body, hash, new byte[0]);
    try {
      Signature signer = Signature.getInstance(ALGORITHM);
      signer.initSign(masterKey);
      signer.update(unsigned.signedBytes());
      return new SignedWhitelist(new SignedText(body, hash, signer.sign()), whitelist);
    } catch (GeneralSecurityException e) {
      throw new CvmfsException.Rejected(
          "cannot sign the whitelist of " + whitelist.repository() + " with the master key", e);
    }
  }

  /** What it says, whether that can be trusted or not. */
  public Whitelist unverified() {
    return whitelist;
  }

  /** A copy of the file's bytes, exactly as they were read or signed. */
  public byte[] bytes() {
    return text.encode();
  }

  /**
   * Checks expiry, name and signature.
   *
   * @param keys one of these must have signed it
   * @throws CvmfsException.Corrupt if it is expired, for another repository, or signed by none
   */
  public Whitelist verify(RepositoryName repository, MasterKeys keys, Instant now) {
    if (whitelist.isExpiredAt(now)) {
      throw new CvmfsException.Corrupt(
          "the whitelist of "
              + repository
              + " expired at "
              + whitelist.expiresAt()
              + " (now "
              + now
              + "); sign it again with the master key");
    }
    if (!whitelist.repository().equals(repository)) {
      throw new CvmfsException.Corrupt(
          "the whitelist is for repository " + whitelist.repository() + ", expected " + repository);
    }
    if (keys.keys().stream().noneMatch(this::isSignedBy)) {
      throw new CvmfsException.Corrupt(
          "invalid whitelist signature: none of the "
              + keys.keys().size()
              + " master keys for "
              + repository
              + " made it");
    }
    return whitelist;
  }

  private boolean isSignedBy(RSAPublicKey key) {
    try {
      Signature verifier = Signature.getInstance(ALGORITHM);
      verifier.initVerify(key);
      verifier.update(text.signedBytes());
      return verifier.verify(text.signature());
    } catch (GeneralSecurityException e) {
      return false; // a signature of the wrong length is reported by an exception
    }
  }
}
