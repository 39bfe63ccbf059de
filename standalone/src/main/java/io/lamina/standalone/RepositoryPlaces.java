package io.lamina.standalone;

import io.lamina.cvmfs.reader.HttpRepositoryFiles;
import io.lamina.cvmfs.reader.LocalRepositoryFiles;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.repository.StoreOpeners;
import io.lamina.standalone.verify.StoredRepositoryFiles;
import io.lamina.storage.StorageLocation;
import java.net.URI;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;

/**
 * Places where a repository's files can be read: {@code http(s)://…}, {@code s3:…}, {@code
 * local:/…}, or a folder's path. Stateless.
 */
public final class RepositoryPlaces {
  private static final String LOCAL = "local:";

  private RepositoryPlaces() {}

  /**
   * @throws io.lamina.storage.StorageException.Rejected if it names a storage in a wrong way
   */
  public static RepositoryFiles open(String location) {
    if (isOnTheWeb(location)) {
      return new HttpRepositoryFiles(URI.create(location), HttpRepositoryFiles.DEFAULT_TIMEOUT);
    }
    if (isStored(location)) {
      return new StoredRepositoryFiles(
          StoreOpeners.forConverters(Clock.systemUTC(), new SecureRandom())
              .open(StorageLocation.parse(location)),
          withoutQuery(location));
    }
    return new LocalRepositoryFiles(folder(location));
  }

  /** All of them, or none if one cannot be opened. */
  public static List<RepositoryFiles> openAll(List<String> locations) {
    List<RepositoryFiles> files = new ArrayList<>();
    try {
      locations.forEach(location -> files.add(open(location)));
      return files;
    } catch (RuntimeException e) {
      files.forEach(RepositoryFiles::close);
      throw e;
    }
  }

  public static boolean isOnTheWeb(String location) {
    return location.startsWith("http://") || location.startsWith("https://");
  }

  public static boolean isStored(String location) {
    return location.startsWith("s3:");
  }

  /** Whether it says what kind of place it is, and is not just a path. */
  static boolean hasScheme(String location) {
    return isOnTheWeb(location) || isStored(location) || location.startsWith(LOCAL);
  }

  public static Path folder(String location) {
    return Path.of(location.startsWith(LOCAL) ? location.substring(LOCAL.length()) : location);
  }

  /** For people and logs: what follows the question mark names files with secrets. */
  public static String withoutQuery(String location) {
    return location.replaceAll("[?].*", "");
  }
}
