package io.lamina.standalone.command;

import io.lamina.image.policy.ImagePolicy;
import io.lamina.image.policy.NamePattern;
import io.lamina.standalone.EmbeddedLamina;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs everything in one process, in the foreground. */
@Command(
    name = "up",
    description =
        "Runs broker, gateway, converter and publisher in this process, in the foreground.",
    mixinStandardHelpOptions = true)
final class UpCommand implements Callable<Integer> {
  @Option(
      names = "--port",
      paramLabel = "N",
      defaultValue = "8080",
      description = "Of the gateway, on loopback; 0 for any free one (default ${DEFAULT-VALUE}).")
  int port = 8080;

  @Option(
      names = "--thin-allow",
      paramLabel = "PATTERN",
      description =
          "Where thin images may be pushed besides registries of this machine, such as"
              + " registry.example.org/thin/*; may be repeated.")
  List<String> thinAllow = List.of();

  @Mixin DataFolderOption data = new DataFolderOption();
  @Mixin Output output = new Output();

  private EmbeddedLamina.Options options() {
    EmbeddedLamina.Options usual = EmbeddedLamina.Options.usual();
    return usual.withConverter(
        usual
            .converter()
            .withAdmission(
                usual
                    .converter()
                    .admission()
                    .withPolicy(
                        ImagePolicy.PERSONAL.withThinTargets(
                            Stream.concat(
                                    ImagePolicy.PERSONAL.thinTargets().stream(),
                                    thinAllow.stream().map(NamePattern::new))
                                .toList()))));
  }

  @Override
  public Integer call() throws InterruptedException {
    EmbeddedLamina lamina = EmbeddedLamina.start(data.absolute(), port, options());
    output.value(
        Output.JSON
            .createObjectNode()
            .put("address", lamina.address().toString())
            .put("data", data.absolute().toString()));
    output.line("lamina is up at " + lamina.address() + ", data in " + data.absolute());
    output.line("stop it with Ctrl-C");
    return Foreground.run(lamina, new CompletableFuture<>());
  }
}
