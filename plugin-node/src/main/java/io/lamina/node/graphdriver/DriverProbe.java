package io.lamina.node.graphdriver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;

/** Calls a driver as an engine does, one call after the other. One thread. */
public final class DriverProbe implements AutoCloseable {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();
  private static final int MAX_LINE_CHARS = 8 << 10;
  private static final int MAX_ANSWER_BYTES = 1 << 20;

  private final SocketChannel channel;
  private final InputStream in;

  /**
   * Connects.
   *
   * @throws IOException if nobody serves the socket
   */
  public DriverProbe(Path socket) throws IOException {
    channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.connect(UnixDomainSocketAddress.of(socket));
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    in = new BufferedInputStream(Channels.newInputStream(channel));
  }

  /**
   * @param target with its query, such as {@code /GraphDriver.Get}
   * @return the answer, which is no failure
   * @throws DriverException.Refused with the driver's own words
   */
  public JsonNode call(String target, byte[] body) throws IOException {
    String head =
        "POST " + target + " HTTP/1.1\r\nHost: \r\nContent-Length: " + body.length + "\r\n\r\n";
    send(head.getBytes(StandardCharsets.US_ASCII));
    send(body);
    int length = -1;
    line();
    for (String line = line(); !line.isEmpty(); line = line()) {
      String lower = line.toLowerCase(Locale.ROOT);
      if (lower.startsWith("content-length:")) {
        length = Integer.parseInt(lower.substring(lower.indexOf(':') + 1).strip());
      }
    }
    if (length < 0 || length > MAX_ANSWER_BYTES) {
      throw new IOException("the driver's answer to " + target + " is not one of a known size");
    }
    JsonNode answer = MAPPER.readTree(in.readNBytes(length));
    String failure = answer.path("Err").asText("");
    if (!failure.isEmpty()) {
      throw new DriverException.Refused(failure);
    }
    return answer;
  }

  /** The same with a JSON body. */
  public JsonNode call(String method, String json) throws IOException {
    return call("/GraphDriver." + method, json.getBytes(StandardCharsets.UTF_8));
  }

  private void send(byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0 || line.length() == MAX_LINE_CHARS) {
        throw new EOFException("the driver's answer broke off, or is none");
      }
      line.append((char) b);
    }
    return line.toString().strip();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
