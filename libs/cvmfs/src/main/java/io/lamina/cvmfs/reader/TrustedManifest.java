package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.RepositoryCertificate;
import io.lamina.cvmfs.signing.SignedManifest;
import io.lamina.cvmfs.signing.SignedWhitelist;
import io.lamina.cvmfs.signing.Whitelist;
import java.io.IOException;
import java.io.InputStream;

/**
 * A manifest whose signature, certificate and whitelist have all been checked. Immutable.
 *
 * @param signed the manifest, with its exact bytes
 * @param certificate whose key signed it
 * @param whitelist which vouches for the certificate
 */
public record TrustedManifest(
    SignedManifest signed, RepositoryCertificate certificate, Whitelist whitelist) {

  /**
   * Fetches a repository's manifest and checks it in the order of the original client.
   *
   * <p>Source: docs/format/manifest.md, "Order of verification".
   *
   * @throws CvmfsException.Corrupt if a check fails
   * @throws CvmfsException.NotFound if one of the files is missing
   * @throws CvmfsException.Rejected if the whitelist demands a check that is not supported
   * @throws CvmfsException.Retryable if reading failed
   */
  public static TrustedManifest fetch(RepositoryFiles files, ReaderSettings settings) {
    SignedManifest signed =
        SignedManifest.parse(fetch(files, Manifest.FILE_NAME, SignedManifest.MAX_READ_BYTES));
    requireExpected(signed.manifest(), settings);
    RepositoryCertificate certificate =
        RepositoryCertificate.parse(
            new VerifiedObjects(files, settings.scratch())
                .read(
                    signed.manifest().certificate(),
                    ObjectKind.CERTIFICATE,
                    RepositoryCertificate.MAX_BYTES));
    signed.verify(certificate);
    Whitelist whitelist =
        SignedWhitelist.parse(fetch(files, Whitelist.FILE_NAME, SignedWhitelist.MAX_BYTES))
            .verify(settings.repository(), settings.keys(), settings.clock().instant());
    if (!whitelist.vouchesFor(certificate)) {
      throw new CvmfsException.Corrupt(
          "the certificate "
              + signed.manifest().certificate()
              + " that signed the manifest of "
              + settings.repository()
              + " is not on the whitelist");
    }
    return new TrustedManifest(signed, certificate, whitelist);
  }

  public Manifest manifest() {
    return signed.manifest();
  }

  private static void requireExpected(Manifest manifest, ReaderSettings settings) {
    if (!manifest.repository().equals(settings.repository())) {
      throw new CvmfsException.Corrupt(
          "repository name does not match (found "
              + manifest.repository()
              + ", expected "
              + settings.repository()
              + ")");
    }
    if (manifest.publishedSeconds() < settings.oldestPublishedSeconds()) {
      throw new CvmfsException.Corrupt(
          "outdated manifest of "
              + settings.repository()
              + ": published at "
              + manifest.publishedSeconds()
              + ", known is one of "
              + settings.oldestPublishedSeconds());
    }
  }

  /** A small file that is checked by its signature. */
  private static byte[] fetch(RepositoryFiles files, String path, int maxBytes) {
    try (InputStream in = files.open(path)) {
      byte[] bytes = in.readNBytes(maxBytes + 1);
      if (bytes.length > maxBytes) {
        throw new CvmfsException.Corrupt(path + " has more than " + maxBytes + " bytes");
      }
      return bytes;
    } catch (IOException e) {
      throw new CvmfsException.Retryable(
          "cannot read " + path + " from " + files + ": " + e.getMessage(), e);
    }
  }
}
