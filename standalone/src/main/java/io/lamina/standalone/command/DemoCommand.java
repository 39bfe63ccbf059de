package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.check.CheckCounts;
import io.lamina.image.LayerDescriptor;
import io.lamina.standalone.EmbeddedLamina;
import io.lamina.standalone.client.RequestFollower;
import io.lamina.standalone.demo.Demo;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows the whole of it on this machine. */
@Command(
    name = "demo",
    description = {
      "Starts everything in this process, makes a real image of this machine's files, converts it,",
      "publishes it, verifies what was published, and says how to go on."
    },
    mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
  /** Where {@code lamina up} listens unless it is told otherwise. */
  private static final URI UP = URI.create("http://127.0.0.1:8080");

  @Option(
      names = "--port",
      paramLabel = "N",
      defaultValue = "0",
      description = "Of the gateway (default: any free one).")
  int port;

  @Option(names = "--stay", description = "Stay up afterwards, until interrupted.")
  boolean stay;

  @Mixin DataFolderOption data = new DataFolderOption();
  @Mixin Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    long start = System.nanoTime();
    output.line("start       broker, gateway, converter and publisher, data in " + data.absolute());
    try (EmbeddedLamina lamina = EmbeddedLamina.start(data.absolute(), port)) {
      output.line("listen      " + lamina.address() + " after " + seconds(start));
      ProgressBar bar = new ProgressBar(output.out());
      Demo demo =
          new Demo(
              lamina,
              data.absolute().resolve("demo"),
              request -> {
                if (!output.isJson()) {
                  bar.show(request);
                  if (RequestFollower.isFinal(request)) {
                    bar.finish();
                  }
                }
              });
      Demo.Report report = demo.run(output::line);
      show(report);
      if (report.isGood()) {
        output.line("");
        output.line("Go on, while './lamina up --data " + data.folder + "' runs:");
        demo.nextSteps(UP).forEach(step -> output.line("  " + step));
      }
      if (stay) {
        output.line("staying up; stop with Ctrl-C");
        Thread.currentThread().join();
      }
      return (report.isGood() ? ExitCode.OK : ExitCode.REQUEST_FAILED).number();
    }
  }

  private void show(Demo.Report report) {
    long packed = 0;
    for (LayerDescriptor layer : report.image().layers()) {
      packed += layer.blob().sizeBytes();
    }
    CheckCounts counts = report.check().counts();
    ObjectNode node = Output.JSON.createObjectNode();
    node.set("request", report.request());
    node.put("new", report.isNew());
    node.put("layers", report.image().layers().size()).put("packedBytes", packed);
    node.put("files", report.comparison().files())
        .put("unpackedBytes", report.comparison().bytes());
    node.put("objects", counts.objects()).put("storedBytes", counts.storedBytes());
    node.put("convertSeconds", report.converting().toMillis() / 1000.0);
    node.put("verifySeconds", report.verifying().toMillis() / 1000.0);
    node.put("problems", counts.problems());
    node.put("differences", report.comparison().differences().size());
    output.value(node);

    output.line(
        "image       %d layers, %s packed, %d files, %s unpacked"
            .formatted(
                report.image().layers().size(),
                ProgressBar.bytes(packed),
                report.comparison().files(),
                ProgressBar.bytes(report.comparison().bytes())));
    if (report.isNew()) {
      output.line(
          "published   revision %d in %s: %.0f MB/s of unpacked data"
              .formatted(
                  report.request().path("revision").asLong(),
                  seconds(report.converting()),
                  report.comparison().bytes() / 1e6 / report.converting().toMillis() * 1000));
    } else {
      output.line(
          "published   nothing: revision %d shows this image already, no work was repeated (%s)"
              .formatted(report.request().path("revision").asLong(), seconds(report.converting())));
    }
    output.line(
        "repository  %d catalogs, %d entries, %d objects, %s stored for %s of content"
            .formatted(
                counts.catalogs(),
                counts.entries(),
                counts.objects(),
                ProgressBar.bytes(counts.storedBytes()),
                ProgressBar.bytes(counts.contentBytes())));
    output.line(
        "verified    %s in %s"
            .formatted(
                report.isGood() ? "no problem, no difference" : "NOT GOOD",
                seconds(report.verifying())));
    report.check().problems().stream().limit(20).forEach(p -> output.line("PROBLEM     " + p));
    report.comparison().differences().stream()
        .limit(20)
        .forEach(d -> output.line("DIFFERENT   " + d));
    if (!report.request().path("state").asText().equals("done")) {
      output.line("FAILED      " + StatusCommand.line(report.request()));
    }
  }

  private static String seconds(long startNanos) {
    return seconds(Duration.ofNanos(System.nanoTime() - startNanos));
  }

  private static String seconds(Duration duration) {
    return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0);
  }
}
