package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Describes one repository. */
@Command(name = "info", description = "Describes a repository.", mixinStandardHelpOptions = true)
final class RepoInfoCommand implements Callable<Integer> {
  @Parameters(paramLabel = "NAME", description = "The repository.")
  String name = "";

  @Mixin RepositoryHome home = new RepositoryHome();
  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    RepositoryName repository = new RepositoryName(name);
    Optional<Repositories> local = home.local();
    JsonNode found;
    if (local.isPresent()) {
      try (Repository opened = local.get().open(repository)) {
        found = RepositoryHome.describeFully(opened);
      }
    } else {
      found = home.ask(gateway -> gateway.fetch("/api/v1/repositories/" + repository));
    }
    output.value(found);
    found
        .properties()
        .forEach(
            field -> {
              if (field.getValue().isValueNode()) {
                output.line("%-18s %s".formatted(field.getKey(), field.getValue().asText()));
              }
            });
    return 0;
  }
}
