package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.RepositoryCertificate;
import io.lamina.cvmfs.signing.RepositoryKeys;
import io.lamina.cvmfs.signing.SignedManifest;
import io.lamina.cvmfs.signing.SignedWhitelist;
import io.lamina.cvmfs.signing.Whitelist;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The manifest file: read once, then known until somebody else has written it. What was read is
 * verified, so that nothing that others put into the store is ever signed over. Not thread-safe.
 */
final class HeadFile {
  /** A manifest and the version of the file that holds it. */
  record Head(Manifest manifest, ObjectStore.Version version) {}

  private static final int MAX_STORED_CERTIFICATE_BYTES = 64 << 10;

  private final ObjectStore store;
  private final RepositoryKeys keys;
  private final ContentHash certificate;
  private @Nullable Head current;

  HeadFile(ObjectStore store, RepositoryKeys keys, ContentHash certificate) {
    this.store = store;
    this.keys = keys;
    this.certificate = certificate;
  }

  /**
   * @throws RepositoryException.Corrupt if it is missing, or nobody whom the master key trusts has
   *     signed it
   */
  Head current() {
    if (current == null) {
      current = read();
    }
    return current;
  }

  void forget() {
    current = null;
  }

  /** Signs and writes the next manifest, if the file is still what {@code base} says. */
  void swap(Head base, Manifest next) {
    forget();
    ObjectStore.Version version =
        store.swap(RepositoryFiles.MANIFEST, Optional.of(base.version()), keys.sign(next).bytes());
    current = new Head(next, version);
  }

  private Head read() {
    ObjectStore.Versioned file =
        store
            .readMutable(RepositoryFiles.MANIFEST, SignedManifest.MAX_READ_BYTES)
            .orElseThrow(
                () ->
                    new RepositoryException.Corrupt(
                        "the manifest of " + keys.repository() + " is missing in " + store, null));
    try {
      SignedManifest signed = SignedManifest.parse(file.bytes());
      Manifest manifest = signed.manifest();
      if (!manifest.repository().equals(keys.repository())) {
        throw new CvmfsException.Corrupt("it is of repository " + manifest.repository());
      }
      signed.verify(
          manifest.certificate().equals(certificate)
              ? keys.certificate()
              : otherCertificate(manifest.certificate()));
      return new Head(manifest, file.version());
    } catch (CvmfsException.Corrupt | CvmfsException.Rejected e) {
      throw new RepositoryException.Corrupt(
          "the manifest of " + keys.repository() + " cannot be trusted: " + e.getMessage(), e);
    }
  }

  /** Another publisher's, or the one before a change of keys: the whitelist must vouch for it. */
  private RepositoryCertificate otherCertificate(ContentHash hash) {
    try {
      byte[] stored =
          store.read(
              RepositoryFiles.object(ObjectKind.CERTIFICATE, hash), MAX_STORED_CERTIFICATE_BYTES);
      if (!CompressedObject.ofStored(stored, hash.algorithm()).hash().equals(hash)) {
        throw new CvmfsException.Corrupt("certificate " + hash + " has other content");
      }
      RepositoryCertificate other =
          RepositoryCertificate.parse(
              Decompression.inflate(stored, RepositoryCertificate.MAX_BYTES));
      SignedWhitelist signed =
          SignedWhitelist.parse(
              store
                  .readMutable(RepositoryFiles.WHITELIST, SignedWhitelist.MAX_BYTES)
                  .orElseThrow(() -> new CvmfsException.Corrupt("there is no whitelist"))
                  .bytes());
      // As of its own time: that it has expired is for clients to refuse, and warned of elsewhere.
      Whitelist whitelist =
          signed.verify(keys.repository(), keys.masterKeys(), signed.unverified().createdAt());
      if (!whitelist.vouchesFor(other)) {
        throw new CvmfsException.Corrupt(
            "certificate " + hash + " signed it, which is not on the whitelist");
      }
      return other;
    } catch (StorageException.NotFound e) {
      throw new CvmfsException.Corrupt("its certificate " + hash + " is not in the store", e);
    }
  }
}
