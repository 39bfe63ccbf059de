package io.lamina.node.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ServerEventReaderTest {
  private static List<String> read(String stream) throws IOException {
    ServerEventReader reader =
        new ServerEventReader(
            new ByteArrayInputStream(stream.getBytes(StandardCharsets.UTF_8)), () -> {});
    List<String> events = new ArrayList<>();
    for (Optional<ServerEvent> event = reader.next(); event.isPresent(); event = reader.next()) {
      events.add(event.get().kind() + "/" + event.get().id() + "/" + event.get().data());
    }
    return events;
  }

  @Test
  void readsKindsIdsAndData() throws IOException {
    assertThat(
            read(
                ": heartbeat\n\nevent: published\nid: 7\ndata: {\"revision\":3}\n\n"
                    + "event:request\r\ndata:{\"id\":\r\ndata: \"r1\"}\r\n\r\n"))
        .containsExactly("published/7/{\"revision\":3}", "request//{\"id\":\"r1\"}");
  }

  @Test
  void passesOverWhatIsNoObject() throws IOException {
    assertThat(read("data: [1]\n\ndata: {broken\n\nevent: x\n\nevent: y\ndata: {}\n\n"))
        .containsExactly("y//{}");
  }

  @Test
  void leavesOutAnEventThatBreaksOff() throws IOException {
    assertThat(read("event: published\ndata: {\"revision\":3}\n")).isEmpty();
  }

  @Test
  void endsAtALineWithoutEnd() {
    ServerEventReader reader =
        new ServerEventReader(
            new InputStream() {
              @Override
              public int read() {
                return 'x';
              }
            },
            () -> {});

    assertThatThrownBy(reader::next)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("more than 262144 bytes");
  }

  @Test
  void endsAtAnEventWithoutEnd() {
    InputStream lines =
        new InputStream() {
          private int at;

          @Override
          public int read() {
            byte[] line = "data: xxxxxxxxxxxxxxxxxxxxxxxxxxx\n".getBytes(StandardCharsets.UTF_8);
            return line[at++ % line.length];
          }
        };

    assertThatThrownBy(new ServerEventReader(lines, () -> {})::next)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("more than 1048576 characters");
  }
}
