package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Digest;
import io.lamina.repository.RepositoryLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * {@code thin.json} with fields in fixed order. What it quotes are names that were checked when
 * they were parsed, but for the origin, which is escaped. Stateless.
 *
 * <p>Source: docs/protocol/transactions.md, "Images".
 */
public final class ThinJson implements ThinDescriptors {
  private static final String VERSION = "1.0";

  @Override
  public byte[] write(RepositoryName repository, String origin, List<Digest> layers) {
    StringBuilder json = new StringBuilder(256 + 256 * layers.size());
    json.append("{\"version\":\"").append(VERSION).append("\",\"min_version\":\"").append(VERSION);
    json.append("\",\"origin\":");
    appendQuoted(json, origin);
    json.append(",\"layers\":[");
    String separator = "";
    for (Digest layer : layers) {
      json.append(separator)
          .append("{\"digest\":\"")
          .append(layer.hex())
          .append("\",\"url\":\"cvmfs://")
          .append(repository)
          .append(RepositoryLayout.layer(layer.hex()))
          .append("\"}");
      separator = ",";
    }
    return json.append("]}\n").toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void appendQuoted(StringBuilder json, String text) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < 0x20 || c > 0x7e) {
        json.append(String.format("\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    json.append('"');
  }
}
