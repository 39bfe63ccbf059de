package io.lamina.standalone.command;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.repository.Contents;
import io.lamina.repository.Repositories;
import io.lamina.standalone.RepositoryAccess;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Deletes a repository where its keys lie; no gateway does so for others. */
@Command(
    name = "delete",
    description = {
      "Deletes a repository and everything in its storage for good; its keys stay.",
      "From its journal it can be made again (lamina replay)."
    },
    mixinStandardHelpOptions = true)
final class RepoDeleteCommand implements Callable<Integer> {
  @Parameters(paramLabel = "NAME", description = "The repository.")
  String name = "";

  @Option(
      names = "--data",
      paramLabel = "DIR",
      required = true,
      description = "The data folder that defines it.")
  Path data = Path.of("");

  @Option(names = "--yes", description = "Do it. Otherwise tells only what would go.")
  boolean yes;

  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    RepositoryName repository = new RepositoryName(name);
    Repositories repositories = RepositoryAccess.in(data);
    Contents contents = yes ? repositories.delete(repository) : repositories.contents(repository);
    output.value(
        Output.JSON
            .createObjectNode()
            .put("name", repository.value())
            .put("deleted", yes)
            .put("files", contents.files())
            .put("bytes", contents.bytes()));
    output.line(
        String.format(
            Locale.ROOT,
            "%s %,d files, %,d bytes of %s%s",
            yes ? "deleted" : "would delete",
            contents.files(),
            contents.bytes(),
            repository,
            yes ? "" : "; say --yes to do it"));
    return 0;
  }
}
