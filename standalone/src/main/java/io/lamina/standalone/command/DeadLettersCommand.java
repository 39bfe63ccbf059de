package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.GatewayException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What failed for good, and what is to become of it. */
@Command(
    name = "dead-letters",
    description = {
      "Shows records that failed for good, and puts them back or drops them.",
      "Mend the cause first, then retry: the requests that failed by it go on."
    },
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DeadLettersCommand.ListLetters.class,
      DeadLettersCommand.Show.class,
      DeadLettersCommand.Retry.class,
      DeadLettersCommand.Drop.class
    })
final class DeadLettersCommand implements Runnable {
  private static final String PATH = "/api/v1/dead-letters";
  private static final int PAGE = 200;

  @Spec picocli.CommandLine.Model.CommandSpec spec;

  DeadLettersCommand() {
    this.spec = picocli.CommandLine.Model.CommandSpec.create();
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "a command is missing; 'lamina dead-letters --help' lists them");
  }

  /** Which letters. */
  static final class Filter {
    @Option(names = "--repo", paramLabel = "NAME", description = "Only those of this repository.")
    @Nullable String repository;

    @Option(
        names = "--topic",
        paramLabel = "TOPIC",
        description = "Only those whose record was on this topic, such as lamina.layers.")
    @Nullable String topic;

    /** Calls the sink for up to {@code limit} letters, newest first. */
    void forEach(GatewayClient gateway, int limit, Consumer<JsonNode> sink) {
      int left = limit;
      String next = "";
      while (left > 0) {
        StringBuilder query = new StringBuilder("?limit=" + Math.min(PAGE, left));
        append(query, "repository", repository);
        append(query, "topic", topic);
        append(query, "cursor", next.isEmpty() ? null : next);
        JsonNode page = gateway.fetch(PATH + query);
        page.path("items").forEach(sink);
        left -= page.path("items").size();
        next = page.path("next").asText();
        if (next.isEmpty()) {
          return;
        }
      }
    }

    private static void append(StringBuilder query, String name, @Nullable String value) {
      if (value != null) {
        query.append('&').append(name).append('=').append(StatusCommand.encode(value));
      }
    }
  }

  /** Lists letters. */
  @Command(
      name = "list",
      description = "Lists dead letters, newest first.",
      mixinStandardHelpOptions = true)
  static final class ListLetters implements Callable<Integer> {
    @Option(
        names = "--limit",
        paramLabel = "N",
        defaultValue = "50",
        description = "At most so many (default ${DEFAULT-VALUE}).")
    int limit = 50;

    @Mixin Filter filter = new Filter();
    @Mixin GatewayOptions gatewayOptions = new GatewayOptions();
    @Mixin Output output = new Output();

    @Override
    public Integer call() {
      try (GatewayClient gateway = gatewayOptions.client()) {
        filter.forEach(
            gateway,
            limit,
            letter -> {
              output.value(letter);
              output.line(
                  "%s  %s  %s %s  %s"
                      .formatted(
                          letter.path("id").asText(),
                          letter.path("at").asText(),
                          letter.path("kind").asText("(unreadable)"),
                          letter.path("key").asText(),
                          letter.path("message").asText()));
            });
        return 0;
      }
    }
  }

  /** Shows one letter. */
  @Command(
      name = "show",
      description = "Shows a dead letter with its record.",
      mixinStandardHelpOptions = true)
  static final class Show implements Callable<Integer> {
    @Parameters(paramLabel = "ID", description = "As 'list' shows it.")
    String id = "";

    @Mixin GatewayOptions gatewayOptions = new GatewayOptions();
    @Mixin Output output = new Output();

    @Override
    public Integer call() {
      try (GatewayClient gateway = gatewayOptions.client()) {
        JsonNode letter = gateway.fetch(PATH + "/" + StatusCommand.encode(id));
        output.value(letter);
        letter
            .properties()
            .forEach(
                field ->
                    output.line(
                        "%-11s %s"
                            .formatted(
                                field.getKey(),
                                field.getValue().isContainerNode()
                                    ? field.getValue().toPrettyString()
                                    : field.getValue().asText())));
        return 0;
      }
    }
  }

  /** What retry and drop have in common. */
  abstract static class Settling implements Callable<Integer> {
    @Spec
    picocli.CommandLine.Model.CommandSpec spec = picocli.CommandLine.Model.CommandSpec.create();

    @Parameters(arity = "0..*", paramLabel = "ID", description = "As 'list' shows them.")
    List<String> ids = new ArrayList<>();

    @Option(names = "--all", description = "All that there are, or all that the filters leave.")
    boolean all;

    @Mixin Filter filter = new Filter();
    @Mixin GatewayOptions gatewayOptions = new GatewayOptions();
    @Mixin Output output = new Output();

    abstract JsonNode settle(GatewayClient gateway, String path);

    @Override
    public Integer call() {
      if (all != ids.isEmpty()) {
        throw new ParameterException(
            spec.commandLine(), "name letters by their ids, or say --all, and not both");
      }
      try (GatewayClient gateway = gatewayOptions.client()) {
        List<String> chosen = new ArrayList<>(ids);
        if (all) {
          // All names first: what is put back may fail again meanwhile, and is another letter then.
          filter.forEach(
              gateway, Integer.MAX_VALUE, letter -> chosen.add(letter.path("id").asText()));
        }
        ExitCode worst = ExitCode.OK;
        for (String id : chosen) {
          try {
            JsonNode settled = settle(gateway, PATH + "/" + StatusCommand.encode(id));
            output.value(settled);
            output.line(settled.path("state").asText() + " " + id);
          } catch (GatewayException e) {
            if (chosen.size() == 1) {
              throw e;
            }
            output.note("lamina: " + e.getMessage());
            worst = ExitCode.of(e);
          }
        }
        return worst.number();
      }
    }
  }

  /** Puts records back. */
  @Command(
      name = "retry",
      description = {
        "Puts the records of dead letters back where they were, once, and removes the letters.",
        "The requests that failed by them go on. Doing it again changes nothing."
      },
      mixinStandardHelpOptions = true)
  static final class Retry extends Settling {
    @Override
    JsonNode settle(GatewayClient gateway, String path) {
      return gateway.post(path + "/retry");
    }
  }

  /** Drops letters. */
  @Command(
      name = "drop",
      description = "Removes dead letters for ever.",
      mixinStandardHelpOptions = true)
  static final class Drop extends Settling {
    @Override
    JsonNode settle(GatewayClient gateway, String path) {
      return gateway.delete(path);
    }
  }
}
