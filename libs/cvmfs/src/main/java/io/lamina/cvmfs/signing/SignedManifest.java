package io.lamina.cvmfs.signing;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;

/**
 * A manifest as it lies in the repository, with its signature. The hash of its lines is checked on
 * parsing; nothing in it may be trusted before {@link #verify} has returned and the whitelist has
 * vouched for the certificate.
 *
 * <p>Source: docs/format/manifest.md, "Manifest" and "Order of verification". Immutable.
 */
public final class SignedManifest {
  /** Tools that read a repository from a folder look at no more than this. */
  public static final int MAX_WRITTEN_BYTES = 4095;

  /** A longer file is refused on reading. */
  public static final int MAX_READ_BYTES = SignedText.MAX_BYTES;

  /** The algorithm is fixed by the format, whatever hashes the repository uses. */
  private static final String ALGORITHM = "SHA1withRSA";

  private final SignedText text;
  private final Manifest manifest;

  private SignedManifest(SignedText text, Manifest manifest) {
    this.text = text;
    this.manifest = manifest;
  }

  /**
   * Reads the file {@code .cvmfspublished}.
   *
   * @throws CvmfsException.Corrupt if it is malformed or its lines do not have the promised hash
   */
  public static SignedManifest parse(byte[] file) {
    SignedText text = SignedText.parse(file, "the manifest");
    return new SignedManifest(text, Manifest.parse(text.body()));
  }

  static SignedManifest sign(Manifest manifest, PrivateKey key) {
    byte[] body = manifest.encode();
    ContentHash hash = SignedText.hashOf(body, manifest.rootCatalog().algorithm());
    SignedText unsigned = new SignedText(body, hash, new byte[0]);
    try {
      Signature signer = Signature.getInstance(ALGORITHM);
      signer.initSign(key);
      signer.update(unsigned.signedBytes());
      SignedText signed = new SignedText(body, hash, signer.sign());
      int size = signed.encode().length;
      if (size > MAX_WRITTEN_BYTES) {
        throw new CvmfsException.Rejected(
            "the signed manifest of "
                + manifest.repository()
                + " has "
                + size
                + " bytes, more than the "
                + MAX_WRITTEN_BYTES
                + " that the original tools read; use a shorter key");
      }
      return new SignedManifest(signed, manifest);
    } catch (GeneralSecurityException e) {
      throw new CvmfsException.Rejected(
          "cannot sign the manifest of " + manifest.repository() + " with the given key", e);
    }
  }

  public Manifest manifest() {
    return manifest;
  }

  /** A copy of the file's bytes, exactly as they were read or signed. */
  public byte[] bytes() {
    return text.encode();
  }

  /**
   * Checks the signature.
   *
   * @throws CvmfsException.Corrupt if this certificate's key did not sign this manifest
   */
  public void verify(RepositoryCertificate certificate) {
    if (!isSignedBy(certificate)) {
      throw new CvmfsException.Corrupt(
          "failed to verify the manifest of "
              + manifest.repository()
              + ": the key of certificate "
              + manifest.certificate()
              + " did not sign it");
    }
  }

  private boolean isSignedBy(RepositoryCertificate certificate) {
    try {
      Signature verifier = Signature.getInstance(ALGORITHM);
      verifier.initVerify(certificate.publicKey());
      verifier.update(text.signedBytes());
      return verifier.verify(text.signature());
    } catch (GeneralSecurityException e) {
      return false; // a signature of the wrong length is reported by an exception
    }
  }
}
