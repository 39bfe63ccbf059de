package io.lamina.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.request.Statuses;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Event.RequestStatus.State;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.WorkKey;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class EventStreamsIT {
  private static final String PATH = "/api/v1/conversions";
  private static final String ALL = "/api/v1/events";
  private static final WorkKey LAYER = new WorkKey(WorkKey.Kind.LAYER, Statuses.LAYER_A);

  @TempDir Path folder;

  @Test
  void followsARequestFromItsStateNowToItsEnd() {
    try (TestGateway gateway = new TestGateway.Setup(folder).start()) {
      RequestStatus status = accept(gateway);

      try (SseReader events = new SseReader(gateway, PATH + "/" + status.request() + "/events")) {
        assertThat(events.contentType()).isEqualTo("text/event-stream");
        assertThat(state(events.nextEvent())).isEqualTo("request accepted");

        gateway.log.say(Statuses.with(status, State.PLANNED, LAYER));
        assertThat(state(events.nextEvent())).isEqualTo("request planned");

        gateway.log.say(Statuses.progress(Statuses.LAYER_A, 5, 5));
        SseReader.Sse progress = events.nextEvent();
        assertThat(progress.name()).isEqualTo("progress");
        assertThat(new JsonObject(progress.data()).getJsonObject("progress").getLong("bytesDone"))
            .isEqualTo(5);

        gateway.log.say(Statuses.conversion("other", State.FAILED, Statuses.at(9)));
        gateway.log.say(Statuses.with(status, State.DONE, LAYER));
        assertThat(state(events.nextEvent())).isEqualTo("request done");
        assertThat(events.nextEvent().name()).isEqualTo("end");
      }
    }
  }

  @Test
  void endsAtOnceForARequestThatIsFinal() {
    try (TestGateway gateway = new TestGateway.Setup(folder).start()) {
      gateway.log.say(Statuses.conversion("old", State.FAILED, Statuses.at(1)));

      try (SseReader events = new SseReader(gateway, PATH + "/old/events")) {
        assertThat(state(events.nextEvent())).isEqualTo("request failed");
        assertThat(events.nextEvent().name()).isEqualTo("end");
      }
      assertThat(gateway.get(PATH + "/nobody/events").statusCode()).isEqualTo(404);
      assertThat(gateway.get("/api/v1/diff-commits/old/events").statusCode()).isEqualTo(404);
    }
  }

  @Test
  void givesThoseWhoComeBackWhatTheyMissed() {
    try (TestGateway gateway = new TestGateway.Setup(folder).start()) {
      String seen;
      try (SseReader events = new SseReader(gateway, ALL)) {
        assertThat(events.nextEvent().name()).isEqualTo("reset");
        gateway.log.say(Statuses.conversion("a", State.ACCEPTED, Statuses.at(1)));
        seen = events.nextEvent().id();
      }
      gateway.log.say(Statuses.conversion("b", State.ACCEPTED, Statuses.at(2)));
      gateway.log.say(Statuses.conversion("c", State.ACCEPTED, Statuses.at(3)));

      try (SseReader events = new SseReader(gateway, ALL, "Last-Event-ID", seen)) {
        assertThat(id(events.nextEvent())).isEqualTo("b");
        assertThat(id(events.nextEvent())).isEqualTo("c");
      }
      try (SseReader events = new SseReader(gateway, ALL, "Last-Event-ID", "other-7")) {
        assertThat(events.nextEvent().name()).isEqualTo("reset");
      }
    }
  }

  @Test
  void tellsOfNewRevisions() {
    try (TestGateway gateway = new TestGateway.Setup(folder).start();
        SseReader events = new SseReader(gateway, ALL)) {
      events.nextEvent();

      gateway.log.say(published(7));

      SseReader.Sse event = events.nextEvent();
      assertThat(event.name()).isEqualTo("published");
      assertThat(new JsonObject(event.data()).getLong("revision")).isEqualTo(7);
      JsonObject repository =
          new JsonObject(gateway.get("/api/v1/repositories/" + Statuses.REPOSITORY).body());
      assertThat(repository.getLong("revision")).isEqualTo(7);
      assertThat(repository.getJsonArray("revisions")).hasSize(1);
    }
  }

  @Test
  void keepsQuietStreamsAlive() {
    try (TestGateway gateway =
            new TestGateway.Setup(folder)
                .with("gateway.timeouts.heartbeat", "60ms")
                .with("gateway.timeouts.idle", "1s")
                .start();
        SseReader events = new SseReader(gateway, ALL)) {
      events.nextEvent();
      long start = System.nanoTime();
      for (int i = 0; i < 25; i++) {
        assertThat(events.next().name()).isEqualTo(":");
      }

      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .as("longer than the time after which idle connections are closed")
          .isGreaterThan(Duration.ofMillis(1200));
    }
  }

  @Test
  void cutsOffAReaderThatIsTooSlow() throws IOException {
    try (TestGateway gateway =
            new TestGateway.Setup(folder).with("gateway.limits.event-backlog", "50").start();
        RawHttp slow = new RawHttp(gateway.process.port())) {
      slow.send("GET " + ALL + " HTTP/1.1\nHost: localhost\n\n");
      assertThat(slow.readUntil("event: reset")).contains("200 OK");
      String detail = "x".repeat(8000);

      // Far more than all socket buffers between the two hold.
      for (int i = 0; i < 3000; i++) {
        gateway.log.say(withDetail("r" + i, detail));
      }

      String rest = slow.readToEnd();
      assertThat(rest.length()).isLessThan(3000 * 8000);
      assertThat(rest).doesNotContain("r2999");
      assertThat(gateway.get("/metrics").body()).contains("gateway_event_streams_in_use 0.0");
    }
  }

  @Test
  void showsAReaderOnlyItsRepositories() throws IOException {
    try (TestGateway gateway =
        new TestGateway.Setup(folder)
            .with("gateway.tokens.file", Tokens.file(folder).toString())
            .start()) {
      RequestStatus foreign =
          new RequestStatus(
              new RequestId("foreign"),
              new RepositoryName("other.example.org"),
              RequestStatus.Kind.CONVERSION,
              "docker://registry.example.org/app:1",
              State.ACCEPTED,
              List.of(),
              Optional.empty(),
              Optional.empty(),
              Statuses.at(1),
              Statuses.at(1));
      try (SseReader events =
          new SseReader(gateway, ALL, "Authorization", "Bearer " + Tokens.SUBMITTER)) {
        events.nextEvent();
        gateway.log.say(foreign);
        gateway.log.say(Statuses.conversion("own", State.ACCEPTED, Statuses.at(2)));

        assertThat(id(events.nextEvent())).isEqualTo("own");
      }
    }
  }

  @Test
  void boundsTheStreamsThatAreOpen() {
    try (TestGateway gateway =
        new TestGateway.Setup(folder).with("gateway.limits.event-streams", "1").start()) {
      try (SseReader first = new SseReader(gateway, ALL)) {
        first.nextEvent();
        assertThat(gateway.get(ALL).statusCode()).isEqualTo(429);
      }
    }
  }

  @Test
  void endsAllStreamsWhenItStops() {
    TestGateway gateway = new TestGateway.Setup(folder).start();
    try (SseReader events = new SseReader(gateway, ALL)) {
      events.nextEvent();

      gateway.process.close();

      assertThat(events.nextEvent().name()).isEqualTo("end");
    }
    gateway.close();
  }

  private static RequestStatus accept(TestGateway gateway) {
    String answer =
        gateway
            .post(PATH, "{\"image\": \"debian\", \"repository\": \"" + Statuses.REPOSITORY + "\"}")
            .body();
    assertThat(answer).contains("accepted");
    return (RequestStatus) gateway.log.events().getFirst();
  }

  private static RequestStatus withDetail(String id, String detail) {
    RequestStatus status = Statuses.conversion(id, State.FAILED, Statuses.at(1));
    return new RequestStatus(
        status.request(),
        status.repository(),
        status.kind(),
        status.subject(),
        status.state(),
        status.work(),
        Optional.of(detail),
        Optional.empty(),
        status.acceptedAt(),
        status.updatedAt());
  }

  static Event published(long revision) {
    return new Event.TransactionPublished(
        Statuses.REPOSITORY,
        revision,
        1_700_000_000L,
        ContentHash.parse("0".repeat(40)),
        ContentHash.parse("1".repeat(40)),
        4096,
        List.of(),
        List.of());
  }

  private static String state(SseReader.Sse event) {
    return event.name() + " " + new JsonObject(event.data()).getString("state");
  }

  private static String id(SseReader.Sse event) {
    return new JsonObject(event.data()).getString("id");
  }
}
