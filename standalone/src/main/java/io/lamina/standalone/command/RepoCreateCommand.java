package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryDefinition;
import io.lamina.standalone.RepositoryAccess;
import io.lamina.storage.StorageLocation;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Creates a repository: keys, whitelist and an empty signed first revision. */
@Command(
    name = "create",
    description = "Creates a repository: keys, whitelist and an empty, signed first revision.",
    mixinStandardHelpOptions = true)
final class RepoCreateCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "NAME",
      description = "Fully qualified name, such as images.example.org.")
  String name = "";

  @Option(
      names = "--storage",
      paramLabel = "LOCATION",
      description = "local:/FOLDER or s3:http(s)://HOST[:PORT]/BUCKET[/PREFIX]; needs --data.")
  @Nullable String storage;

  @Option(names = "--no-flat", description = "Publish layers only, no merged root file systems.")
  boolean noFlat;

  @ArgGroup(exclusive = false, heading = "%nOn a release manager (needs --data):%n")
  ReleaseManagerOptions manager = new ReleaseManagerOptions();

  @Mixin RepositoryHome home = new RepositoryHome();
  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    RepositoryName repository = new RepositoryName(name);
    boolean needsFolder = storage != null || noFlat || manager.areGiven();
    JsonNode created =
        needsFolder || home.local().isPresent()
            ? createHere(
                repository, home.localOrRefuse("storage and layout are set where the keys lie"))
            : home.ask(
                gateway ->
                    gateway.post(
                        "/api/v1/repositories",
                        Output.JSON.createObjectNode().put("name", repository.value()),
                        Map.of()));
    output.value(created);
    output.line("created repository " + repository);
    return 0;
  }

  private JsonNode createHere(RepositoryName repository, Repositories repositories) {
    Optional<StorageLocation> location = Optional.ofNullable(storage).map(StorageLocation::parse);
    RepositoryDefinition.Settings standard = RepositoryDefinition.Settings.DEFAULT;
    RepositoryDefinition.Settings settings =
        new RepositoryDefinition.Settings(
            standard.ttl(),
            !noFlat,
            standard.garbageCollectable(),
            standard.tags(),
            standard.genericTags());
    try (Repository created =
        RepositoryAccess.create(
            repositories,
            repository,
            location,
            manager.backend(repository),
            settings,
            Clock.systemUTC())) {
      return RepositoryHome.describe(created);
    }
  }
}
