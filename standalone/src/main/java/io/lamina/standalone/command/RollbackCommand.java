package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.reader.VerifiedObjects;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.journal.Journal;
import io.lamina.journal.JournalFile;
import io.lamina.journal.JournalHistory;
import io.lamina.journal.TopicJournal;
import io.lamina.standalone.KafkaAccess;
import io.lamina.standalone.RepositoryPlaces;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.RequestFollower;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Sets a tag back to what it showed earlier, as a new revision. */
@Command(
    name = "rollback",
    description = {
      "Asks for a tag to show an earlier digest again: a request like any other, which becomes a new",
      "revision. Layers that the repository shows are not fetched again; the registry must still have",
      "the manifest and the config."
    },
    mixinStandardHelpOptions = true)
final class RollbackCommand implements Callable<Integer> {
  private static final int MAX_MANIFEST_BYTES = 16 << 20;

  @Parameters(index = "0", paramLabel = "REPO", description = "The repository's name.")
  String repository = "";

  @Parameters(
      index = "1",
      paramLabel = "IMAGE",
      description = "REGISTRY/REPO:TAG as for 'lamina convert'.")
  String image = "";

  @Option(
      names = "--to",
      required = true,
      paramLabel = "REVISION|DIGEST",
      description = {
        "What the tag showed at this revision (as 'lamina history' lists them), or a manifest's or index's",
        "digest, sha256:…; images for several platforms need the digest of their index."
      })
  String to = "";

  @Option(
      names = "--platform",
      paramLabel = "OS/ARCH[/VARIANT]",
      split = ",",
      description = "As for 'lamina convert' (default: linux/amd64).")
  List<String> platforms = List.of();

  @Option(
      names = "--from",
      paramLabel = "FILE",
      description = "With a revision: a file of 'lamina journal export' instead of the topic.")
  @Nullable Path file;

  @Option(
      names = "--objects",
      paramLabel = "LOCATION",
      description = {
        "With a revision: folder or http(s) address of the repository (default: the gateway's)."
      })
  @Nullable String objects;

  @Option(names = "--wait", description = "Wait until it is done; show progress.")
  boolean wait;

  @Mixin KafkaOptions brokers = new KafkaOptions();
  @Mixin GatewayOptions gatewayOptions = new GatewayOptions();
  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    ImageReference.Registry tag = tag();
    Digest digest = to.startsWith("sha256:") ? digest(to) : digestAt(tag.publicName());
    ImageReference.Registry pinned =
        new ImageReference.Registry(tag.host(), tag.repository(), tag.tag(), Optional.of(digest));
    try (GatewayClient gateway = gatewayOptions.client()) {
      JsonNode request =
          gateway.post("/api/v1/conversions", body(pinned), Map.<String, String>of());
      JsonNode latest = wait ? follow(gateway, request) : request;
      output.value(latest);
      output.line(StatusCommand.line(latest));
      return wait ? StatusCommand.exitCode(latest).number() : ExitCode.OK.number();
    }
  }

  private ImageReference.Registry tag() {
    if (ImageReference.parse(image) instanceof ImageReference.Registry registry
        && registry.tag().isPresent()
        && registry.digest().isEmpty()) {
      return registry;
    }
    throw new CommandException(
        ExitCode.USAGE, "a tag in a registry is set back, REGISTRY/REPO:TAG; not " + image);
  }

  private static Digest digest(String text) {
    try {
      return Digest.parse(text);
    } catch (ImageException.Rejected e) {
      throw new CommandException(ExitCode.USAGE, "--to: " + e.getMessage());
    }
  }

  private Digest digestAt(String name) {
    if (!to.matches("[1-9][0-9]{0,17}")) {
      throw new CommandException(
          ExitCode.USAGE, "--to is a revision or a digest (sha256:…), not '" + to + "'");
    }
    long revision = Long.parseLong(to);
    ContentHash manifest;
    if (file != null) {
      manifest = manifestAt(new JournalFile(file), name, revision);
    } else {
      try (KafkaAccess kafka = brokers.open()) {
        manifest = manifestAt(new TopicJournal(kafka.kafka()), name, revision);
      }
    }
    try (RepositoryFiles files = files()) {
      return Digest.sha256(
          new VerifiedObjects(files, Path.of(System.getProperty("java.io.tmpdir")))
              .read(manifest, ObjectKind.FILE, MAX_MANIFEST_BYTES));
    }
  }

  private ContentHash manifestAt(Journal journal, String name, long revision) {
    Shown shown = new Shown();
    JournalHistory.read(
        journal,
        new RepositoryName(repository),
        Optional.of(name),
        change -> {
          if (change.revision() <= revision) {
            change.images().forEach(shown::take);
          }
        });
    ContentHash manifest = shown.manifest;
    if (manifest == null) {
      throw new CommandException(
          ExitCode.NOT_FOUND,
          name + " was not in " + repository + " at revision " + revision + ", says " + journal);
    }
    if (shown.severalPlatforms) {
      throw new CommandException(
          ExitCode.REFUSED,
          name
              + " was published for several platforms at revision "
              + revision
              + "; say the digest of its index, --to sha256:…");
    }
    return manifest;
  }

  /** What a name shows after the changes so far. */
  private static final class Shown {
    private @Nullable ContentHash manifest;
    private boolean severalPlatforms;

    void take(JournalHistory.ImageChange change) {
      if (change.removed()) {
        manifest = null;
        return;
      }
      change.manifest().ifPresent(object -> manifest = object);
      if (change.linked()) {
        severalPlatforms = change.imageId().isEmpty();
      }
    }
  }

  private RepositoryFiles files() {
    String location =
        objects == null
            ? gatewayOptions.gateway.replaceAll("/+$", "") + "/cvmfs/" + repository
            : objects;
    return RepositoryPlaces.open(location);
  }

  private ObjectNode body(ImageReference.Registry pinned) {
    ObjectNode body = Output.JSON.createObjectNode();
    body.put("image", pinned.canonical()).put("repository", repository);
    if (!platforms.isEmpty()) {
      ArrayNode list = body.putArray("platforms");
      platforms.forEach(list::add);
    }
    return body;
  }

  private JsonNode follow(GatewayClient gateway, JsonNode request) {
    ProgressBar bar = new ProgressBar(output.out());
    JsonNode end =
        new RequestFollower(gateway)
            .follow(
                request.path("links").path("self").asText(),
                latest -> {
                  if (!output.isJson()) {
                    bar.show(latest);
                  }
                });
    bar.finish();
    return end;
  }
}
