package io.lamina.standalone.command;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Groups what is done to repositories as a whole. */
@Command(
    name = "repo",
    description = "Creates, lists, describes and deletes repositories and signs their whitelists.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      RepoCreateCommand.class,
      RepoListCommand.class,
      RepoInfoCommand.class,
      RepoSignWhitelistCommand.class,
      RepoDeleteCommand.class
    })
final class RepoCommand implements Runnable {
  @Spec CommandLine.Model.CommandSpec spec;

  RepoCommand() {
    this.spec = CommandLine.Model.CommandSpec.create();
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "a command is missing; 'lamina repo --help' lists them");
  }
}
