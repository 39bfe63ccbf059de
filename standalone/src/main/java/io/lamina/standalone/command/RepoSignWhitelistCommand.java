package io.lamina.standalone.command;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.repository.Repository;
import io.lamina.standalone.RepositoryAccess;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Renews a whitelist with the master key. */
@Command(
    name = "sign-whitelist",
    description = "Signs the whitelist anew with the master key, from now on.",
    mixinStandardHelpOptions = true)
final class RepoSignWhitelistCommand implements Callable<Integer> {
  private static final int MAX_DAYS = 3650;

  @Parameters(paramLabel = "NAME", description = "The repository.")
  String name = "";

  @Option(
      names = "--days",
      paramLabel = "N",
      defaultValue = "30",
      description = "How long it is valid (default ${DEFAULT-VALUE}).")
  int days = 30;

  @Mixin DataFolderOption data = new DataFolderOption();
  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    if (days < 1 || days > MAX_DAYS) {
      throw new CommandException(
          ExitCode.USAGE, "--days is between 1 and " + MAX_DAYS + ", not " + days);
    }
    try (Repository repository =
        RepositoryAccess.in(data.absolute()).open(new RepositoryName(name))) {
      Instant expires =
          repository
              .signWhitelist(Duration.ofDays(days), Clock.systemUTC())
              .unverified()
              .expiresAt();
      output.value(
          Output.JSON.createObjectNode().put("name", name).put("expires", expires.toString()));
      output.line("signed the whitelist of " + name + "; it expires " + expires);
      return 0;
    }
  }
}
