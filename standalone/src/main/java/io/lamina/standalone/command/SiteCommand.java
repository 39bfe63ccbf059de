package io.lamina.standalone.command;

import io.lamina.standalone.LoneProcess;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Follows another site. */
@Command(
    name = "site",
    description = {
      "Follows another site in the foreground: copies the objects of what that has published, and has",
      "this site's publisher publish it under its own signature. docs/sites.md has the settings."
    },
    mixinStandardHelpOptions = true)
final class SiteCommand implements Callable<Integer> {
  @Mixin LoneProcessOptions options = new LoneProcessOptions();

  @Override
  public Integer call() throws InterruptedException {
    return options.run(LoneProcess.Kind.SITE);
  }
}
