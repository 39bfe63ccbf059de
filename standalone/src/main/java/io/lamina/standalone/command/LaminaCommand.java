package io.lamina.standalone.command;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The root of all sub-commands. */
@Command(
    name = "lamina",
    description = "Publishes container images to CernVM-FS and runs them from there.",
    mixinStandardHelpOptions = true,
    versionProvider = LaminaVersion.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      UpCommand.class,
      GatewayCommand.class,
      ConverterCommand.class,
      PublisherCommand.class,
      SiteCommand.class,
      SitesCommand.class,
      PluginCommand.class,
      NodeCommand.class,
      RepoCommand.class,
      ConvertCommand.class,
      StatusCommand.class,
      CancelCommand.class,
      RemoveCommand.class,
      PruneCommand.class,
      GcCommand.class,
      DeadLettersCommand.class,
      JournalCommand.class,
      ReplayCommand.class,
      HistoryCommand.class,
      RollbackCommand.class,
      ListCommand.class,
      CatCommand.class,
      StatCommand.class,
      CheckCommand.class,
      MountCommand.class,
      DemoCommand.class,
      BenchCommand.class,
      GenerateCompletion.class,
      HelpCommand.class
    },
    footerHeading = "%nExit codes:%n",
    footer = {
      "  0 success; 1 unexpected failure; 2 wrong usage; 3 not found; 4 refused;",
      "  5 corrupt data or failed check; 6 unavailable, try again later;",
      "  7 the request failed; 8 the request was cancelled"
    })
public final class LaminaCommand implements Runnable {
  @Spec CommandLine.Model.CommandSpec spec;

  @Option(
      names = "--verbose",
      scope = CommandLine.ScopeType.INHERIT,
      description = "Show the cause of failures with stack traces.")
  boolean verbose;

  private LaminaCommand(CommandLine.Model.CommandSpec spec) {
    this.spec = spec;
  }

  /**
   * Runs one command line.
   *
   * @return the exit code, see {@link ExitCode}
   */
  public static int run(String... arguments) {
    return run(
        new PrintWriter(System.out, true, StandardCharsets.UTF_8),
        new PrintWriter(System.err, true, StandardCharsets.UTF_8),
        arguments);
  }

  /** The same, writing elsewhere. */
  static int run(PrintWriter out, PrintWriter err, String... arguments) {
    return PluginCommand.runPlain(out, err, arguments)
        .orElseGet(() -> runParsed(out, err, arguments));
  }

  private static int runParsed(PrintWriter out, PrintWriter err, String... arguments) {
    LaminaCommand root = new LaminaCommand(CommandLine.Model.CommandSpec.create());
    CommandLine line = new CommandLine(root);
    line.setOut(out);
    line.setErr(err);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExecutionExceptionHandler(
        (failure, command, _) -> report(failure, command.getErr(), root.verbose));
    return line.execute(arguments);
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "a command is missing; 'lamina --help' lists them");
  }

  /** Tells a failure, and gives its exit code. */
  static int report(Exception failure, PrintWriter err, boolean verbose) {
    ExitCode code = ExitCode.of(failure);
    String message = failure.getMessage();
    err.println("lamina: " + (message == null || message.isBlank() ? failure.toString() : message));
    if (verbose || (code == ExitCode.FAILED && !(failure instanceof CommandException))) {
      failure.printStackTrace(err);
    }
    err.flush();
    return code.number();
  }
}
