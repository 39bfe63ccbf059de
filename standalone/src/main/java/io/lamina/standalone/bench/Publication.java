package io.lamina.standalone.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.converter.ConverterSettings;
import io.lamina.converter.layer.PipelineSettings;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.ImageReference;
import io.lamina.standalone.EmbeddedLamina;
import io.lamina.standalone.EmbeddedSettings;
import io.lamina.standalone.bench.StageResult.Objects;
import io.lamina.standalone.bench.StageResult.Stored;
import io.lamina.standalone.bench.StageResult.Transactions;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.RequestFollower;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Everything at once: images asked for at the gateway of a fresh all-in-one. One thread. */
final class Publication {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path data;
  private final PipelineSettings pipeline;
  private final BenchInput warmUp;
  private final BenchInput input;
  private final int rounds;

  /**
   * @param data folder of the all-in-one; must not exist
   * @param warmUp published before anything is measured
   * @param rounds each into a repository of its own; the last one is measured
   */
  Publication(
      Path data, PipelineSettings pipeline, BenchInput warmUp, BenchInput input, int rounds) {
    this.data = data;
    this.pipeline = pipeline;
    this.warmUp = warmUp;
    this.input = input;
    this.rounds = rounds;
  }

  /**
   * @throws BenchmarkException if an image could not be published
   */
  StageResult run() {
    try (EmbeddedLamina lamina =
            EmbeddedLamina.start(
                EmbeddedSettings.usual(data, 0)
                    .withConverter(ConverterSettings.DEFAULT.withPipeline(pipeline))
                    .withSources(usual -> warmUp.with(input.with(usual))));
        GatewayClient gateway = new GatewayClient(lamina.address(), Optional.empty())) {
      RepositoryName repository = create(gateway, 1);
      publish(gateway, repository, warmUp);
      for (int round = 1; round < rounds; round++) {
        publish(gateway, repository, input);
        repository = create(gateway, round + 1);
      }

      Counts before = Counts.of(lamina.metrics());
      Resources resources = Resources.begin();
      publish(gateway, repository, input);
      Resources.Used used = resources.end();
      return Counts.of(lamina.metrics()).minus(before).result(used);
    }
  }

  private static RepositoryName create(GatewayClient gateway, int round) {
    RepositoryName repository = new RepositoryName("bench" + round + ".lamina.test");
    gateway.post(
        "/api/v1/repositories", JSON.createObjectNode().put("name", repository.value()), Map.of());
    return repository;
  }

  private static void publish(GatewayClient gateway, RepositoryName repository, BenchInput images) {
    List<JsonNode> accepted = new ArrayList<>();
    for (ImageReference image : images.references()) {
      ObjectNode body = JSON.createObjectNode();
      body.put("image", image.canonical()).put("repository", repository.value());
      body.putArray("platforms").add(images.platform().toString());
      accepted.add(gateway.post("/api/v1/conversions", body, Map.of()));
    }
    for (JsonNode request : accepted) {
      JsonNode end =
          new RequestFollower(gateway)
              .follow(request.path("links").path("self").asText(), latest -> {});
      if (!end.path("state").asText().equals("done")) {
        throw new BenchmarkException(
            end.path("image").asText()
                + " ended as "
                + end.path("state").asText()
                + ": "
                + end.path("detail").asText());
      }
    }
  }

  /** What the parts have counted since their start. */
  private record Counts(
      long unpackedBytes,
      long known,
      long stored,
      long storedBytes,
      long published,
      long unchanged,
      long changes,
      long insideNanos,
      long flushNanos) {

    static Counts of(MeterRegistry meters) {
      return new Counts(
          count(
              meters
                  .find("converter.work.bytes")
                  .tags("kind", "layer", "direction", "unpacked")
                  .counters()),
          count(meters.find("converter.work.objects").tag("found", "known").counters()),
          count(meters.find("converter.work.objects").tag("found", "new").counters()),
          count(meters.find("converter.work.bytes").tag("direction", "stored").counters()),
          count(meters.find("publish.transactions").tag("outcome", "published").counters()),
          count(meters.find("publish.transactions").tag("outcome", "unchanged").counters()),
          count(meters.find("publish.changes").counters()),
          nanos(meters.find("publish.transaction.duration").timers()),
          nanos(meters.find("publish.flush.duration").timers()));
    }

    private static long count(Collection<Counter> counters) {
      return Math.round(counters.stream().mapToDouble(Counter::count).sum());
    }

    private static long nanos(Collection<Timer> timers) {
      return Math.round(
          timers.stream().mapToDouble(timer -> timer.totalTime(TimeUnit.NANOSECONDS)).sum());
    }

    Counts minus(Counts earlier) {
      return new Counts(
          unpackedBytes - earlier.unpackedBytes,
          known - earlier.known,
          stored - earlier.stored,
          storedBytes - earlier.storedBytes,
          published - earlier.published,
          unchanged - earlier.unchanged,
          changes - earlier.changes,
          insideNanos - earlier.insideNanos,
          flushNanos - earlier.flushNanos);
    }

    StageResult result(Resources.Used used) {
      return new StageResult(
          Stage.PUBLISH,
          unpackedBytes,
          used,
          Optional.of(new Objects(known + stored, Optional.of(new Stored(stored, storedBytes)))),
          Optional.of(new Transactions(published, unchanged, changes, insideNanos, flushNanos)));
    }
  }
}
