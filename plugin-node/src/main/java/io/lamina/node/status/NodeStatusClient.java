package io.lamina.node.status;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Asks a driver on this host for its status. Stateless. */
public final class NodeStatusClient {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();
  private static final int MAX_ANSWER_BYTES = 64 << 20;

  private NodeStatusClient() {}

  /**
   * @param socket of the status, not the engine's
   * @throws IOException if nobody serves it, or the answer is none
   */
  public static JsonNode fetch(Path socket) throws IOException {
    String answer;
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      ByteBuffer request =
          ByteBuffer.wrap(
              "GET /status HTTP/1.0\r\nConnection: close\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII));
      while (request.hasRemaining()) {
        channel.write(request);
      }
      InputStream in = Channels.newInputStream(channel);
      answer = new String(in.readNBytes(MAX_ANSWER_BYTES), StandardCharsets.UTF_8);
    }
    int body = answer.indexOf("\r\n\r\n");
    if (body < 0 || !answer.substring(0, answer.indexOf('\r')).contains(" 200 ")) {
      throw new IOException("the driver at " + socket + " does not tell its status");
    }
    return MAPPER.readTree(answer.substring(body));
  }
}
