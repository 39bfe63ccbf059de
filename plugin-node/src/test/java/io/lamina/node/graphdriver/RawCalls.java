package io.lamina.node.graphdriver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
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
import java.util.Map;
import java.util.TreeMap;

/** One connection of an engine, byte by byte as one sends. */
final class RawCalls implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final SocketChannel channel;
  private final InputStream in;

  RawCalls(Path socket) throws IOException {
    channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(socket));
    in = new BufferedInputStream(Channels.newInputStream(channel));
  }

  /** An answer; the body is complete, or reading it had failed. */
  record Answer(int status, Map<String, String> headers, byte[] body) {
    JsonNode json() throws IOException {
      return JSON.readTree(body);
    }

    String error() throws IOException {
      return json().path("Err").asText();
    }
  }

  Answer call(String method, String json) throws IOException {
    byte[] body = json.getBytes(StandardCharsets.UTF_8);
    head("/GraphDriver." + method, "Content-Length: " + body.length);
    send(body);
    return answer();
  }

  /** As engines do: an empty host, no content type. */
  void head(String path, String framing) throws IOException {
    send(
        ("POST "
                + path
                + " HTTP/1.1\r\nHost: \r\nUser-Agent: Go-http-client/1.1\r\n"
                + framing
                + "\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\n\r\n")
            .getBytes(StandardCharsets.ISO_8859_1));
  }

  void chunk(byte[] bytes) throws IOException {
    send((Integer.toHexString(bytes.length) + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
    send(bytes);
    send("\r\n".getBytes(StandardCharsets.ISO_8859_1));
  }

  void lastChunk() throws IOException {
    send("0\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
  }

  void send(byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  /** Reads status and headers. */
  Answer answerHead() throws IOException {
    String status = line();
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (String line = line(); !line.isEmpty(); line = line()) {
      int colon = line.indexOf(':');
      headers.put(line.substring(0, colon), line.substring(colon + 1).strip());
    }
    return new Answer(Integer.parseInt(status.split(" ")[1]), headers, new byte[0]);
  }

  Answer answer() throws IOException {
    Answer head = answerHead();
    if ("chunked".equals(head.headers().get("transfer-encoding"))) {
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      for (byte[] chunk = nextChunk(); chunk.length > 0; chunk = nextChunk()) {
        body.writeBytes(chunk);
      }
      return new Answer(head.status(), head.headers(), body.toByteArray());
    }
    int length = Integer.parseInt(head.headers().getOrDefault("content-length", "0"));
    byte[] body = in.readNBytes(length);
    if (body.length < length) {
      throw new EOFException("the answer broke off");
    }
    return new Answer(head.status(), head.headers(), body);
  }

  /** Empty: the body is complete. */
  byte[] nextChunk() throws IOException {
    int length = Integer.parseInt(line(), 16);
    byte[] chunk = in.readNBytes(length);
    if (chunk.length < length || !line().isEmpty()) {
      throw new EOFException("the answer broke off in a chunk");
    }
    return chunk;
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new EOFException("the answer broke off after '" + line + "'");
      }
      line.append((char) b);
    }
    return line.toString().stripTrailing();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
