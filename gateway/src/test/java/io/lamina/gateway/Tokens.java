package io.lamina.gateway;

import io.lamina.gateway.access.TokenHashes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A token file with a reader, a submitter of one repository, and an operator. */
final class Tokens {
  static final String READER = "reader-secret";
  static final String SUBMITTER = "submitter-secret";
  static final String OPERATOR = "operator-secret";

  private Tokens() {}

  static Path file(Path folder) throws IOException {
    return Files.writeString(
        folder.resolve("tokens.json"),
        "{\"tokens\": ["
            + entry(READER, "reader", "*")
            + ","
            + entry(SUBMITTER, "submitter", "unpacked.example.org")
            + ","
            + entry(OPERATOR, "operator", "*")
            + "]}");
  }

  private static String entry(String token, String role, String repository) {
    return "{\"name\": \"%s\", \"sha256\": \"%s\", \"role\": \"%s\", \"repositories\": [\"%s\"]}"
        .formatted(role + "-1", TokenHashes.sha256(token), role, repository);
  }
}
