package io.lamina.image.registry;

import io.lamina.image.ImageException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An answer whose body has not been read. Close it to give the request's place back.
 *
 * @param uri who answered, after redirects
 */
record HttpAnswer(
    URI uri, int status, HttpHeaders headers, InputStream body, RequestLimit.Permit permit)
    implements AutoCloseable {
  Optional<String> header(String name) {
    return headers.firstValue(name);
  }

  OptionalLong contentLength() {
    Optional<String> text = header("Content-Length");
    return text.isPresent() && text.get().matches("[0-9]{1,18}")
        ? OptionalLong.of(Long.parseLong(text.get()))
        : OptionalLong.empty();
  }

  /**
   * The whole body.
   *
   * @throws ImageException.Rejected if it is longer than {@code maxBytes}
   */
  byte[] readBody(int maxBytes, Duration patience) throws IOException {
    long deadline = System.nanoTime() + patience.toNanos();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] buffer = new byte[16_384];
    for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
      if (bytes.size() + n > maxBytes) {
        throw new ImageException.Rejected(
            "the answer of " + uri.getHost() + " is longer than " + maxBytes + " bytes");
      }
      if (System.nanoTime() - deadline > 0) {
        throw new HttpTimeoutException("the body did not arrive within " + patience);
      }
      bytes.write(buffer, 0, n);
    }
    return bytes.toByteArray();
  }

  /** The same answer with its body in memory and its connection and place free for others. */
  HttpAnswer buffered(int maxBytes, Duration patience) throws IOException {
    try (this) {
      return new HttpAnswer(
          uri, status, headers, new ByteArrayInputStream(readBody(maxBytes, patience)), () -> {});
    }
  }

  @Override
  public void close() {
    try {
      body.close();
    } catch (IOException e) {
      // The connection is given up either way.
    } finally {
      permit.close();
    }
  }
}
