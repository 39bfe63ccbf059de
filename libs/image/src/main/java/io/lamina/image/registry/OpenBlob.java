package io.lamina.image.registry;

import io.lamina.image.Descriptor;
import io.lamina.image.ImageException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Opens a blob at an offset.
 *
 * @param usesRange false once the registry has shown that it cannot; then bytes are read and
 *     dropped
 */
record OpenBlob(Descriptor blob, long offset, boolean usesRange)
    implements RegistryAction<InputStream> {
  private static final Pattern CONTENT_RANGE =
      Pattern.compile("bytes\\s+([0-9]{1,18})-([0-9]{1,18})/(\\*|[0-9]{1,18})");

  /** The registry answered another range than was asked for. */
  static final class WrongRange extends IOException {
    private static final long serialVersionUID = 1L;

    WrongRange(String message) {
      super(message);
    }
  }

  @Override
  public String what() {
    return "blob " + blob.digest() + (offset > 0 ? " from byte " + offset : "");
  }

  @Override
  public URI uri(Endpoint endpoint, String repository) {
    return endpoint.resolve(repository, "/blobs/" + blob.digest());
  }

  @Override
  public Map<String, String> headers() {
    return offset > 0 && usesRange ? Map.of("Range", "bytes=" + offset + "-") : Map.of();
  }

  @Override
  public Set<Integer> statuses() {
    return Set.of(200, 206, 416);
  }

  @Override
  public boolean keepsAnswerOpen() {
    return true;
  }

  @Override
  public InputStream handle(HttpAnswer answer) throws IOException {
    if (answer.header("Content-Encoding").filter(e -> !e.equals("identity")).isPresent()) {
      throw new ImageException.Rejected(
          "the registry sends blobs in another encoding than they are stored in");
    }
    InputStream body =
        new FilterInputStream(answer.body()) {
          @Override
          public int read(byte[] buffer, int off, int length) throws IOException {
            return in.read(buffer, off, length);
          }

          @Override
          public void close() {
            answer.close();
          }
        };
    if (answer.status() == 200) {
      checkLength(answer.contentLength(), 0);
      body.skipNBytes(offset);
      return body;
    }
    if (answer.status() == 416 || headers().isEmpty()) {
      throw new WrongRange("the registry has no byte " + offset + " of the blob");
    }
    checkRange(answer.header("Content-Range").orElse(""));
    checkLength(answer.contentLength(), offset);
    return body;
  }

  private void checkLength(OptionalLong length, long start) {
    if (length.isPresent() && length.getAsLong() != blob.sizeBytes() - start) {
      throw new ImageException.Corrupt(
          "blob "
              + blob.digest()
              + " has "
              + (start + length.getAsLong())
              + " bytes at the registry; the manifest says "
              + blob.sizeBytes());
    }
  }

  private void checkRange(String contentRange) throws WrongRange {
    Matcher matcher = CONTENT_RANGE.matcher(contentRange.strip());
    boolean isAsked =
        matcher.matches()
            && Long.parseLong(matcher.group(1)) == offset
            && Long.parseLong(matcher.group(2)) == blob.sizeBytes() - 1
            && (matcher.group(3).equals("*")
                || Long.parseLong(matcher.group(3)) == blob.sizeBytes());
    if (!isAsked) {
      throw new WrongRange("the registry answered another range than bytes " + offset + "-");
    }
  }
}
