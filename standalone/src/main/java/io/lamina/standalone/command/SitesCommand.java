package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.journal.site.SiteLag;
import io.lamina.standalone.LoneProcess;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows how far this site is behind others. */
@Command(
    name = "sites",
    description = "Shows how far this site is behind the other one that it follows.",
    mixinStandardHelpOptions = true)
final class SitesCommand implements Callable<Integer> {
  @Option(
      names = "--config",
      required = true,
      paramLabel = "FILE",
      description = "Settings of 'lamina site'.")
  Path config = Path.of("lamina.properties");

  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    SiteLag.Snapshot lag = LoneProcess.siteLag(config, System.getenv());
    ObjectNode node = Output.JSON.createObjectNode().put("site", lag.site());
    node.put("isReachable", lag.isReachable());
    lag.records().ifPresent(records -> node.put("recordsBehind", records));
    ArrayNode repositories = node.putArray("repositories");
    output.line(
        "site %s: %s, %s"
            .formatted(
                lag.site(),
                lag.isReachable() ? "reachable" : "OUT OF REACH",
                lag.records().isPresent()
                    ? lag.records().getAsLong() + " records of its journal wait here"
                    : "its journal is not here yet"));
    for (SiteLag.OfRepository one : lag.repositories()) {
      ObjectNode child = repositories.addObject();
      child.put("source", one.source().value()).put("repository", one.target().value());
      one.followed().ifPresent(revision -> child.put("followedRevision", revision));
      one.shown().ifPresent(revision -> child.put("sourceRevision", revision));
      one.behind().ifPresent(revisions -> child.put("revisionsBehind", revisions));
      output.line(
          "%s -> %s: revision %s of %s, %s behind"
              .formatted(
                  one.source(),
                  one.target(),
                  text(one.followed()),
                  text(one.shown()),
                  text(one.behind())));
    }
    output.value(node);
    return (lag.isReachable() ? ExitCode.OK : ExitCode.UNAVAILABLE).number();
  }

  private static String text(OptionalLong number) {
    return number.isPresent() ? String.valueOf(number.getAsLong()) : "?";
  }
}
