package io.lamina.repository;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.signing.RepositoryKeys;
import io.lamina.cvmfs.signing.SignedManifest;
import io.lamina.cvmfs.signing.SignedWhitelist;
import io.lamina.storage.ObjectStore;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An existing repository: its definition, its store and its keys. Thread-safe; close it. */
public final class Repository implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Repository.class);

  private final RepositoryDefinition definition;
  private final ObjectStore store;
  private final Path keyFolder;
  private final Path workFolder;

  Repository(RepositoryDefinition definition, ObjectStore store, Path keyFolder, Path workFolder) {
    this.definition = definition;
    this.store = store;
    this.keyFolder = keyFolder;
    this.workFolder = workFolder;
  }

  public RepositoryDefinition definition() {
    return definition;
  }

  public RepositoryName name() {
    return definition.name();
  }

  public ObjectStore store() {
    return store;
  }

  /** Where the key files lie. */
  public Path keyFolder() {
    return keyFolder;
  }

  /**
   * This machine's own files about it, such as archives that are being published; may be absent.
   */
  public Path workFolder() {
    return workFolder;
  }

  public ObjectUploads uploads() {
    return new ObjectUploads(store);
  }

  /**
   * Reads the keys from their files.
   *
   * @throws RepositoryException.NotFound if one is missing
   */
  public RepositoryKeys loadKeys() {
    try {
      return RepositoryKeys.load(keyFolder, name());
    } catch (CvmfsException.NotFound e) {
      throw new RepositoryException.NotFound(
          "the keys of " + name() + " are not complete: " + e.getMessage(), e);
    } catch (CvmfsException.Rejected e) {
      throw new RepositoryException.Rejected(
          "the keys of " + name() + " cannot be used: " + e.getMessage(), e);
    }
  }

  /** The manifest as it is now; parsed, its signature not verified. */
  public SignedManifest manifest() {
    return SignedManifest.parse(
        store
            .readMutable(RepositoryFiles.MANIFEST, SignedManifest.MAX_READ_BYTES)
            .orElseThrow(
                () -> new RepositoryException.NotFound("there is no manifest of " + name()))
            .bytes());
  }

  /** The whitelist as it is now; parsed, its signature not verified. */
  public SignedWhitelist whitelist() {
    return SignedWhitelist.parse(
        readWhitelist()
            .orElseThrow(
                () -> new RepositoryException.NotFound("there is no whitelist of " + name()))
            .bytes());
  }

  /** Reads what the repository shows. */
  public RepositoryView view() {
    return new RepositoryView(store, () -> manifest().manifest());
  }

  /** The writer of this software for it; one at a time per process is sensible. */
  public RepositoryWriter writer() {
    return new RepositoryWriter(definition, store, loadKeys(), Optional.empty());
  }

  /**
   * The writer for who commits many transactions, one after the other, and calls {@link
   * RepositoryWriter#settle} after some of them.
   *
   * @param totals counters of trees that may be gone
   */
  public RepositoryWriter writerOfMany(KnownTotals totals) {
    return new RepositoryWriter(
        definition,
        store,
        loadKeys(),
        Optional.empty(),
        totals,
        RepositoryWriter.Mode.MANY_REVISIONS);
  }

  /**
   * The writer of a repository whose every revision somebody else must show first. Opening it
   * finishes what a predecessor left half done.
   *
   * @throws RepositoryException as {@link Follower.Session#show}
   */
  public RepositoryWriter writer(Follower follower) {
    RepositoryWriter writer =
        new RepositoryWriter(definition, store, loadKeys(), Optional.of(follower));
    try {
      writer.catchUp();
      return writer;
    } catch (RuntimeException e) {
      writer.close();
      throw e;
    }
  }

  /**
   * Signs the whitelist anew with the master key, from now on.
   *
   * @throws RepositoryException.Rejected if the master key is not here
   */
  public SignedWhitelist signWhitelist(Duration life, Clock clock) {
    RepositoryKeys keys = loadKeys();
    try {
      SignedWhitelist whitelist = keys.issueWhitelist(life, clock);
      store.swap(
          RepositoryFiles.WHITELIST,
          readWhitelist().map(ObjectStore.Versioned::version),
          whitelist.bytes());
      LOG.atInfo()
          .addKeyValue("repository", name())
          .addKeyValue("expires", whitelist.unverified().expiresAt())
          .log("signed the whitelist");
      return whitelist;
    } catch (CvmfsException.Rejected e) {
      throw new RepositoryException.Rejected(
          "the whitelist of " + name() + " cannot be signed: " + e.getMessage(), e);
    }
  }

  /**
   * Signs the whitelist anew if less than {@code leftAtLeast} of its life is left and the master
   * key is here; where it is not, warns.
   */
  public WhitelistState renewWhitelist(Duration leftAtLeast, Duration life, Clock clock) {
    Instant now = clock.instant();
    Instant expires =
        readWhitelist()
            .map(file -> SignedWhitelist.parse(file.bytes()).unverified().expiresAt())
            .orElse(Instant.EPOCH);
    if (expires.isAfter(now.plus(leftAtLeast))) {
      return new WhitelistState(WhitelistState.Verdict.VALID, expires);
    }
    if (loadKeys().hasMasterKey()) {
      SignedWhitelist renewed = signWhitelist(life, clock);
      return new WhitelistState(WhitelistState.Verdict.RENEWED, renewed.unverified().expiresAt());
    }
    boolean expired = !expires.isAfter(now);
    (expired ? LOG.atError() : LOG.atWarn())
        .addKeyValue("repository", name())
        .addKeyValue("expires", expires)
        .log(
            expired
                ? "the whitelist has expired and clients refuse the repository; sign it where the"
                    + " master key is: lamina repo sign-whitelist"
                : "the whitelist expires soon; sign it where the master key is: lamina repo"
                    + " sign-whitelist");
    return new WhitelistState(
        expired ? WhitelistState.Verdict.EXPIRED : WhitelistState.Verdict.DUE, expires);
  }

  private Optional<ObjectStore.Versioned> readWhitelist() {
    return store.readMutable(RepositoryFiles.WHITELIST, SignedWhitelist.MAX_BYTES);
  }

  @Override
  public void close() {
    store.close();
  }
}
