package io.lamina.standalone;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The file in a data folder that says where its broker listens while a process works on the folder.
 * One that was killed leaves it behind: it counts only while the folder is locked. Stateless.
 */
final class BrokerAddress {
  private static final String FILE = "kafka.address";

  private BrokerAddress() {}

  static void write(Path data, String bootstrapServers) {
    try {
      Files.writeString(data.resolve(FILE), bootstrapServers + "\n", StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + data.resolve(FILE), e);
    }
  }

  static Optional<String> read(Path data) {
    try {
      return Optional.of(Files.readString(data.resolve(FILE), StandardCharsets.US_ASCII).strip())
          .filter(address -> !address.isEmpty());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + data.resolve(FILE), e);
    }
  }
}
