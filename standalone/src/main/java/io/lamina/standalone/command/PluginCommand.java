package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.lamina.node.NodeCheck;
import io.lamina.node.NodeProcess;
import io.lamina.node.NodeSettings;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Runs the storage driver of a Docker host, the snapshotter of containerd, or both. */
@Command(
    name = PluginCommand.NAME,
    description =
        "Runs Docker's storage driver or containerd's snapshotter on this host, in the foreground.",
    mixinStandardHelpOptions = true)
final class PluginCommand implements Callable<Integer> {
  static final String NAME = "plugin";

  @Mixin PluginOptions options = new PluginOptions();

  @Mixin Output output = new Output();

  /**
   * Runs a usual command line of this command without picocli: its classes, which no cache of
   * classes takes, need longer than all else until an engine is answered.
   *
   * @return the exit code; empty if the command line is not one
   */
  static OptionalInt runPlain(PrintWriter out, PrintWriter err, String... arguments) {
    List<String> words = Arrays.asList(arguments);
    Optional<PluginOptions> options =
        words.isEmpty() || !words.getFirst().equals(NAME)
            ? Optional.empty()
            : PluginOptions.plain(words.subList(1, words.size()));
    if (options.isEmpty()) {
      return OptionalInt.empty();
    }
    try {
      return OptionalInt.of(run(options.get(), (_, line) -> out.println(line)));
    } catch (Exception e) { // the top
      return OptionalInt.of(LaminaCommand.report(e, err, false));
    }
  }

  @Override
  public Integer call() throws InterruptedException {
    return run(
        options,
        (json, line) -> {
          output.value(json);
          output.line(line);
        });
  }

  private static int run(PluginOptions options, BiConsumer<JsonNode, String> output)
      throws InterruptedException {
    NodeSettings settings = options.settings(System.getenv());
    if (options.check) {
      NodeCheck.run(settings, new SecureRandom());
      output.accept(
          JsonNodeFactory.instance.objectNode().put("works", true),
          "the driver works in " + settings.state());
      return ExitCode.OK.number();
    }
    NodeProcess process = NodeProcess.start(settings, new SecureRandom());
    String sockets =
        process.sockets().stream().map(Path::toString).collect(Collectors.joining(" and "));
    output.accept(
        JsonNodeFactory.instance.objectNode().put("socket", process.socket().toString()),
        "plugin serves at " + sockets + "; stop it with Ctrl-C");
    return Foreground.run(process, new CompletableFuture<>());
  }
}
