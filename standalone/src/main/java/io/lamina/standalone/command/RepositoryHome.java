package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryDefinition.Backend;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.releasemanager.PublishedRepository;
import io.lamina.standalone.RepositoryAccess;
import io.lamina.standalone.client.GatewayClient;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Where the repo commands find repositories: behind a gateway, or in a data folder of this machine.
 */
final class RepositoryHome {
  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Work on this data folder directly instead of asking a gateway.")
  @Nullable Path data;

  @Mixin GatewayOptions gateway = new GatewayOptions();

  Optional<Repositories> local() {
    return Optional.ofNullable(data).map(RepositoryAccess::in);
  }

  Repositories localOrRefuse(String why) {
    return local()
        .orElseThrow(
            () ->
                new CommandException(
                    ExitCode.USAGE, why + ": name the data folder with --data DIR"));
  }

  <T> T ask(Function<GatewayClient, T> question) {
    try (GatewayClient client = gateway.client()) {
      return question.apply(client);
    }
  }

  /** As the gateway's API describes a repository. */
  static ObjectNode describe(Repository repository) {
    Manifest manifest = repository.manifest().manifest();
    ObjectNode node = Output.JSON.createObjectNode();
    node.put("name", repository.name().value());
    node.put(
        "storage", repository.definition().storage().map(Object::toString).orElse("data folder"));
    node.put("keys", repository.keyFolder().toString());
    node.put("backend", repository.definition().backend().word());
    node.put("revision", manifest.revision());
    node.put("root", manifest.rootCatalog().toString());
    node.put("publishedSeconds", manifest.publishedSeconds());
    node.put("whitelistExpires", RepositoryAccess.whitelistExpiry(repository).toString());
    return node;
  }

  /** With what a release manager shows, if there is one. */
  static ObjectNode describeFully(Repository repository) {
    ObjectNode node = describe(repository);
    if (repository.definition().backend() instanceof Backend.CvmfsServer server) {
      node.put("serverUrl", server.read().toString());
      node.put("serverCommand", server.command().toString());
      try (PublishedRepository published =
          RepositoryAccess.published(repository.name(), server, Clock.systemUTC())) {
        node.put("serverRevision", published.manifest().revision());
        node.put("serverRoot", published.manifest().rootCatalog().toString());
        node.put("serverShows", published.shown().map(Object::toString).orElse("nothing of ours"));
      } catch (RepositoryException e) {
        node.put("serverShows", "unknown: " + e.getMessage());
      }
    }
    return node;
  }
}
