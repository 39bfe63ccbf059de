package io.lamina.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The keys of an S3 account. Immutable; never printed.
 *
 * <p>Source: docs/storage.md, "Credentials".
 */
record S3Credentials(String accessKey, String secretKey, Optional<String> sessionToken) {
  private static final long MAX_FILE_BYTES = 64 << 10;

  /**
   * Reads lines {@code access-key=…}, {@code secret-key=…} and perhaps {@code session-token=…};
   * empty lines and those beginning with {@code #} are ignored.
   *
   * @throws StorageException.Rejected if the file cannot be read or lacks a key
   */
  static S3Credentials read(Path file) {
    Map<String, String> values = new HashMap<>();
    try {
      if (Files.size(file) > MAX_FILE_BYTES) {
        throw new StorageException.Rejected(file + " is too long for a credentials file");
      }
      for (String line : Files.readAllLines(file)) {
        String text = line.strip();
        if (text.isEmpty() || text.startsWith("#")) {
          continue;
        }
        int equals = text.indexOf('=');
        String name = equals < 0 ? "" : text.substring(0, equals).strip();
        switch (name) {
          case "access-key", "secret-key", "session-token" ->
              values.put(name, text.substring(equals + 1).strip());
          default ->
              // The line may be a secret in the wrong form: it is not shown.
              throw new StorageException.Rejected(
                  file + " has a line that is none of access-key=, secret-key=, session-token=");
        }
      }
    } catch (IOException e) {
      throw new StorageException.Rejected("cannot read the S3 credentials in " + file, e);
    }
    return new S3Credentials(
        required(file, values, "access-key"),
        required(file, values, "secret-key"),
        Optional.ofNullable(values.get("session-token")));
  }

  private static String required(Path file, Map<String, String> values, String name) {
    String value = values.get(name);
    if (value == null || value.isEmpty()) {
      throw new StorageException.Rejected(file + " has no " + name);
    }
    return value;
  }

  @Override
  public String toString() {
    return "S3Credentials[redacted]";
  }
}
