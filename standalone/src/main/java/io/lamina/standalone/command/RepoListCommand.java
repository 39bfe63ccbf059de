package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Lists the repositories of a gateway or a data folder. */
@Command(name = "list", description = "Lists repositories.", mixinStandardHelpOptions = true)
final class RepoListCommand implements Callable<Integer> {
  @Mixin RepositoryHome home = new RepositoryHome();
  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    Optional<Repositories> local = home.local();
    List<JsonNode> found = new ArrayList<>();
    if (local.isPresent()) {
      local
          .get()
          .list()
          .forEach(
              name -> {
                try (Repository repository = local.get().open(name)) {
                  found.add(RepositoryHome.describe(repository));
                }
              });
    } else {
      home.ask(gateway -> gateway.fetch("/api/v1/repositories")).path("items").forEach(found::add);
    }
    for (JsonNode repository : found) {
      output.value(repository);
      output.line(
          "%-40s %s"
              .formatted(
                  repository.path("name").asText(),
                  repository.has("revision")
                      ? "revision " + repository.path("revision").asText()
                      : "nothing published yet"));
    }
    return 0;
  }
}
