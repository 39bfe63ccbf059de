package io.lamina.messaging.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.messaging.MessagingException;
import io.lamina.messaging.SampleEvents;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventJsonTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String CANCEL = "io.lamina.cancel-requested.v1";

  static List<Event> events() {
    return SampleEvents.all();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] golden(Event event) throws IOException {
    String name = EventJson.kind(event.getClass()) + ".json";
    // Run with -Dlamina.golden=write in the module's folder after a deliberate change.
    if ("write".equals(System.getProperty("lamina.golden"))) {
      Path file = Path.of("src/test/resources/events", name);
      Files.createDirectories(file.getParent());
      Files.write(file, EventJson.encode(event));
    }
    try (InputStream in = EventJsonTest.class.getResourceAsStream("/events/" + name)) {
      assertThat(in).as("golden file %s", name).isNotNull();
      return in.readAllBytes();
    }
  }

  @Test
  void knowsASampleOfEveryKind() {
    assertThat(events().stream().map(e -> EventJson.kind(e.getClass())))
        .containsExactlyInAnyOrderElementsOf(EventJson.allKinds().keySet());
  }

  @ParameterizedTest
  @MethodSource("events")
  void writesTheBytesOfTheGoldenFile(Event event) throws IOException {
    assertThat(new String(EventJson.encode(event), StandardCharsets.UTF_8))
        .isEqualTo(new String(golden(event), StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @MethodSource("events")
  void readsBackWhatItWrote(Event event) throws IOException {
    byte[] bytes = golden(event);

    Event read = EventJson.decode(EventJson.type(event), bytes);

    // Catalog entries hold arrays and compare by identity: what is written again must be the same.
    assertThat(EventJson.encode(read)).isEqualTo(bytes);
    assertThat(read).usingRecursiveComparison().isEqualTo(event);
  }

  @ParameterizedTest
  @MethodSource("events")
  void ignoresFieldsThatItDoesNotKnow(Event event) throws IOException {
    byte[] bytes = EventJson.encode(event);
    ObjectNode json = (ObjectNode) MAPPER.readTree(bytes);
    json.putObject("addedLater").putArray("deep").add(1);

    Event read = EventJson.decode(EventJson.type(event), MAPPER.writeValueAsBytes(json));

    assertThat(EventJson.encode(read)).isEqualTo(bytes);
  }

  /** Takes out or spoils one value after the other, at any depth. */
  @ParameterizedTest
  @MethodSource("events")
  void refusesEveryDamageWithAClearMessage(Event event) throws IOException {
    byte[] bytes = EventJson.encode(event);
    String kind = EventJson.kind(event.getClass());
    int damages = 0;
    for (String pointer : pointers("", MAPPER.readTree(bytes))) {
      ObjectNode json = (ObjectNode) MAPPER.readTree(bytes);
      replace(json, pointer);
      try {
        Event read = EventJson.decode(EventJson.type(event), MAPPER.writeValueAsBytes(json));
        // Free text may be anything; then it must be in the event.
        assertThat(new String(EventJson.encode(read), StandardCharsets.UTF_8)).contains("\\u0001");
      } catch (MessagingException.Corrupt e) {
        assertThat(e).hasMessageStartingWith(kind);
        damages++;
      }
    }
    assertThat(damages).isPositive();
  }

  private static List<String> pointers(String at, JsonNode node) {
    List<String> found = new ArrayList<>();
    if (node.isObject()) {
      node.properties()
          .forEach(
              f -> {
                String pointer = at + "/" + f.getKey().replace("~", "~0").replace("/", "~1");
                found.add(pointer);
                found.addAll(pointers(pointer, f.getValue()));
              });
    } else if (node.isArray()) {
      for (int i = 0; i < node.size(); i++) {
        found.add(at + "/" + i);
        found.addAll(pointers(at + "/" + i, node.get(i)));
      }
    }
    return found;
  }

  /** By text with a control character, which no number, object, name or digest is. */
  private static void replace(ObjectNode root, String pointer) {
    int slash = pointer.lastIndexOf('/');
    JsonNode parent = root.at(pointer.substring(0, slash));
    String name = pointer.substring(slash + 1).replace("~1", "/").replace("~0", "~");
    if (parent instanceof ArrayNode array) {
      array.set(Integer.parseInt(name), MAPPER.getNodeFactory().textNode("\u0001"));
    } else {
      ((ObjectNode) parent).put(name, "\u0001");
    }
  }

  @Test
  void keepsPathsThatAreNoText() {
    byte[] raw = {'/', 'a', (byte) 0xc3, '/', (byte) 0xff, 1};
    Event event =
        new Event.TransactionPublished(
            SampleEvents.REPOSITORY,
            1,
            2,
            SampleEvents.HASH,
            SampleEvents.HASH,
            3,
            List.of(new CatalogChange.Remove(RepositoryPath.ofBytes(raw))),
            List.of());

    byte[] bytes = EventJson.encode(event);

    assertThat(new String(bytes, StandardCharsets.UTF_8))
        .contains("{\"remove\":{\"path\":{\"base64\":\"L2HDL/8B\"}}}");
    assertThat(EventJson.decode(EventJson.type(event), bytes)).isEqualTo(event);
  }

  @Test
  void keepsRandomPathsAsTheyAre() {
    long seed = Long.getLong("seed", 1);
    Random random = new Random(seed);
    for (int i = 0; i < 500; i++) {
      byte[] name = new byte[1 + random.nextInt(40)];
      random.nextBytes(name);
      for (int k = 0; k < name.length; k++) {
        if (name[k] == 0 || name[k] == '/' || name[k] == '.') {
          name[k] = 'x';
        }
      }
      RepositoryPath path = RepositoryPath.ROOT.resolve(name);
      Event event =
          new Event.TransactionPublished(
              SampleEvents.REPOSITORY,
              1,
              2,
              SampleEvents.HASH,
              SampleEvents.HASH,
              3,
              List.of(new CatalogChange.Split(path)),
              List.of());
      assertThat(EventJson.decode(EventJson.type(event), EventJson.encode(event)))
          .as("seed %s, path %s", seed, path)
          .isEqualTo(event);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "7",
        "{",
        "{}",
        "{} {}",
        "{\"request\":\"r\",\"request\":\"r\",\"repository\":\"a.b\"}",
        "{\"request\":\"\",\"repository\":\"a.b\"}",
        "{\"request\":\"r\"}",
        "{\"request\":null,\"repository\":\"a.b\"}",
        "{\"request\":\"r\",\"repository\":\"../x\"}",
        "{\"request\":\"r\",\"repository\":7}",
        "{\"request\":\"r\",\"repository\":\"a.b\"} trailing"
      })
  void refusesWhatIsNoSuchEvent(String json) {
    assertThatThrownBy(() -> EventJson.decode(CANCEL, utf8(json)))
        .isInstanceOf(MessagingException.Corrupt.class)
        .hasMessageContaining("cancel-requested");
  }

  @Test
  void saysWhereAnEventIsWrong() {
    assertThatThrownBy(() -> EventJson.decode(CANCEL, utf8("{\"request\":\"r\"}")))
        .hasMessage("cancel-requested.repository is missing");
    assertThatThrownBy(
            () ->
                EventJson.decode(
                    "io.lamina.thin-requested.v1",
                    utf8(
                        "{\"repository\":\"a.b\",\"request\":\"r\",\"image\":\"i\",\"target\":\"t\","
                            + "\"config\":{\"object\":\"xyz\",\"sizeBytes\":1},\"layers\":[]}")))
        .hasMessageStartingWith("thin-requested.config.object: not a content hash");
  }

  @Test
  void refusesUnknownKindsAndVersionsByName() {
    assertThatThrownBy(() -> EventJson.decode("io.lamina.layer-eaten.v1", utf8("{}")))
        .isInstanceOf(MessagingException.Corrupt.class)
        .hasMessageContaining("'layer-eaten'");
    assertThatThrownBy(() -> EventJson.decode("io.lamina.cancel-requested.v2", utf8("{}")))
        .isInstanceOf(MessagingException.Corrupt.class)
        .hasMessageContaining("version 2")
        .hasMessageContaining("cancel-requested");
    for (String type :
        List.of("", "cancel-requested", "io.lamina..v1", "org.other.thing", "io.lamina.x.v99999")) {
      assertThatThrownBy(() -> EventJson.decode(type, utf8("{}")))
          .isInstanceOf(MessagingException.Corrupt.class);
    }
  }

  @Test
  void boundsSizeAndDepth() {
    String deep = "{\"a\":".repeat(200) + "1" + "}".repeat(200);
    assertThatThrownBy(() -> EventJson.decode(CANCEL, utf8(deep)))
        .isInstanceOf(MessagingException.Corrupt.class)
        .hasMessageContaining("depth");
    assertThatThrownBy(() -> EventJson.decode(CANCEL, new byte[EventJson.MAX_BYTES + 1]))
        .isInstanceOf(MessagingException.Corrupt.class)
        .hasMessageContaining(String.valueOf(EventJson.MAX_BYTES));
    Event huge =
        new Event.WorkFailed(
            SampleEvents.REPOSITORY,
            new WorkKey(WorkKey.Kind.LAYER, "x"),
            "x".repeat(EventJson.MAX_BYTES));
    assertThatThrownBy(() -> EventJson.encode(huge))
        .isInstanceOf(MessagingException.Rejected.class)
        .hasMessageContaining("work-failed")
        .hasMessageContaining("images.example.org");
  }

  @Test
  void namesKindsAsTheProtocolDoes() {
    assertThat(EventJson.allKinds().keySet().stream().collect(Collectors.joining(" ")))
        .isEqualTo(
            "cancel-requested collection-finished collection-requested conversion-requested diff-commit-requested failed-request"
                + " flat-merged flat-requested followed-position image-planned journal-position layer-converted layer-requested"
                + " pending-flat pending-layer pending-request pending-work removal-requested request-status thin-pushed thin-requested"
                + " transaction-followed transaction-published work-failed work-progress work-retried");
    assertThat(Stream.of(EventJson.type(SampleEvents.cancel("a.b", "r"))))
        .containsExactly("io.lamina.cancel-requested.v1");
  }
}
