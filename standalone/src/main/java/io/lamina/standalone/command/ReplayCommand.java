package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.check.CheckReport;
import io.lamina.cvmfs.check.CheckSettings;
import io.lamina.cvmfs.check.RepositoryCheck;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.journal.Journal;
import io.lamina.journal.JournalFile;
import io.lamina.journal.SnapshotFile;
import io.lamina.journal.TopicJournal;
import io.lamina.journal.replay.MissingObject;
import io.lamina.journal.replay.ObjectSources;
import io.lamina.journal.replay.Remaker;
import io.lamina.journal.replay.Replay;
import io.lamina.journal.replay.ReplayPlan;
import io.lamina.journal.replay.ReplayTarget;
import io.lamina.journal.replay.SnapshotStart;
import io.lamina.journal.replay.Until;
import io.lamina.messaging.Topic;
import io.lamina.messaging.event.RepositoryOrigin;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryDefinition;
import io.lamina.standalone.ConversionAccess;
import io.lamina.standalone.KafkaAccess;
import io.lamina.standalone.RepositoryAccess;
import io.lamina.standalone.RepositoryPlaces;
import io.lamina.standalone.remake.JournalRemaker;
import io.lamina.standalone.verify.StoredRepositoryFiles;
import io.lamina.storage.StorageLocation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Rebuilds a repository from the journal. */
@Command(
    name = "replay",
    description = {
      "Rebuilds a repository from the journal into empty storage, revision by revision, and insists on",
      "the original's root hash at each. Objects that the storage lacks are copied from --objects.",
      "Interrupted in any way, the same command goes on where it was."
    },
    mixinStandardHelpOptions = true)
final class ReplayCommand implements Callable<Integer> {
  private static final int SHOWN_MISSING = 20;
  private static final long STOP_SECONDS = 60;

  /** What is looked at when the last revision is there. */
  enum Verification {
    NONE,
    CATALOGS,
    PRESENCE,
    EVERY_OBJECT
  }

  @Option(
      names = "--from",
      required = true,
      paramLabel = "FILE|TOPIC",
      description = {
        "A file of 'lamina journal export', or lamina.published: the topic, of the brokers in --config",
        "or, without it, of the data folder's own broker."
      })
  String from = "";

  @Option(
      names = "--to",
      required = true,
      paramLabel = "NAME",
      description = "The repository that is rebuilt; made if the data folder does not define it.")
  String to = "";

  @Option(
      names = "--repo",
      paramLabel = "NAME",
      description = "Its name in the journal (default: as --to).")
  @Nullable String source;

  @Option(
      names = "--until",
      paramLabel = "REVISION|TIME",
      description = {
        "Stop there: a revision, or a time such as 2026-01-02T03:04:05Z: what was published until then."
      })
  @Nullable String until;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "DIR",
      description = "Data folder with repositories/ and keys/; keys that are there are used.")
  Path data = Path.of("");

  @Option(
      names = "--storage",
      paramLabel = "LOCATION",
      description = "Where a new repository lies: as for 'lamina repo create'.")
  @Nullable String storage;

  @Option(
      names = "--objects",
      paramLabel = "LOCATION",
      description = {
        "Where objects are, tried in order (may be repeated): a folder or http(s) address of a repository,",
        "or s3:http(s)://HOST[:PORT]/BUCKET[/PREFIX][?credentials=/FILE]."
      })
  List<String> objects = List.of();

  @Option(
      names = "--created",
      paramLabel = "TIME",
      description = {
        "When the original was created, if the journal does not say: 'createdAt' of the old definition."
      })
  @Nullable String created;

  @Option(
      names = "--ttl",
      paramLabel = "SECONDS",
      description = "With --created: the original's time to live (default: 240).")
  @Nullable Long ttl;

  @Option(
      names = "--snapshot",
      paramLabel = "FILE",
      description = {
        "Begin with what a file of 'lamina journal snapshot' shows, not with the first transaction.",
        "Tags of earlier revisions are left out then."
      })
  @Nullable Path snapshot;

  @Option(
      names = "--key",
      paramLabel = "FILE",
      description = {
        "With --snapshot: public key of the original, or a folder of them",
        "(default: keys/NAME.pub of the data folder)."
      })
  @Nullable Path key;

  @Mixin ConvertAgainOptions again = new ConvertAgainOptions();

  @Option(
      names = "--objects-at-once",
      paramLabel = "N",
      defaultValue = "16",
      description = "How many objects are copied at the same time (default ${DEFAULT-VALUE}).")
  int objectsAtOnce = 16;

  @Option(
      names = "--missing",
      paramLabel = "FILE",
      description = "Write the list of objects that no source has to this file.")
  @Nullable Path missingFile;

  @Option(
      names = "--verify",
      paramLabel = "DEPTH",
      defaultValue = "PRESENCE",
      description = "At the end: ${COMPLETION-CANDIDATES} (default ${DEFAULT-VALUE}).")
  Verification verification = Verification.PRESENCE;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = {
        "Settings of the pipeline's processes: they name the brokers, and with --registries say which",
        "images and addresses are allowed."
      })
  @Nullable Path config;

  @Mixin Output output = new Output();

  @Override
  public Integer call() throws IOException {
    Path folder = data.toAbsolutePath().normalize();
    if (from.equals(Topic.PUBLISHED.topicName())) {
      KafkaOptions brokers = new KafkaOptions();
      brokers.config = config;
      brokers.data = config == null ? folder : null;
      try (KafkaAccess kafka = brokers.open()) {
        return replay(new TopicJournal(kafka.kafka()), folder);
      }
    }
    if (config != null && !again.areGiven()) {
      throw new CommandException(
          ExitCode.USAGE,
          "--config goes with --from "
              + Topic.PUBLISHED.topicName()
              + ", --archives or --registries");
    }
    return replay(new JournalFile(Path.of(from)), folder);
  }

  private int replay(Journal journal, Path folder) throws IOException {
    RepositoryName target = new RepositoryName(to);
    RepositoryName name = source == null ? target : new RepositoryName(source);
    Optional<RepositoryOrigin> origin = origin();
    ReplayPlan plan = ReplayPlan.of(journal, name, until == null ? Until.END : Until.parse(until));
    Path scratch = Files.createTempDirectory("lamina-replay-");
    try (Stop stop = new Stop();
        ObjectSources sources =
            new ObjectSources(
                RepositoryPlaces.openAll(objects), scratch, ObjectSources.Pause.SLEEPING);
        Again remaking = again(journal, name, sources)) {
      Replay.Means means =
          new Replay.Means(
              sources,
              remaking.remaker(),
              Replay.Settings.STANDARD.withObjectsAtOnce(objectsAtOnce),
              stop::isAsked,
              new ReplayProgress(output)::show);
      Optional<SnapshotStart> start = start(journal, name, folder, plan, means);
      try (Repository repository =
          ReplayTarget.open(
              RepositoryAccess.forReplay(folder),
              target,
              Optional.ofNullable(storage).map(StorageLocation::parse),
              plan,
              origin,
              start,
              sources,
              Clock.systemUTC())) {
        Replay.Outcome outcome = new Replay(journal, plan, repository, means).run();
        ExitCode code = report(plan, outcome);
        if (outcome instanceof Replay.Outcome.Done && verification != Verification.NONE) {
          code = verify(repository, code);
        }
        return code.number();
      }
    } catch (Replay.Ended early) {
      return report(plan, early.outcome()).number();
    } finally {
      deleteAll(scratch);
    }
  }

  private Optional<SnapshotStart> start(
      Journal journal, RepositoryName name, Path folder, ReplayPlan plan, Replay.Means means) {
    if (snapshot == null) {
      if (key != null) {
        throw new CommandException(ExitCode.USAGE, "--key goes with --snapshot");
      }
      return Optional.empty();
    }
    Path trusted = key == null ? folder.resolve("keys").resolve(name + ".pub") : key;
    if (!Files.exists(trusted)) {
      throw new CommandException(
          ExitCode.USAGE,
          "a snapshot is verified with the public key of "
              + name
              + "; there is no "
              + trusted
              + ": name it with --key FILE");
    }
    return Optional.of(
        new SnapshotStart(
            journal, SnapshotFile.read(snapshot, name, MasterKeys.load(trusted)), plan, means));
  }

  /** Who makes again what is lost, and what that needs. */
  private record Again(Remaker remaker, List<AutoCloseable> parts) implements AutoCloseable {
    @Override
    public void close() {
      for (AutoCloseable part : parts) {
        try {
          part.close();
        } catch (Exception e) { // their types declare none
          throw new IllegalStateException("cannot close " + part, e);
        }
      }
    }
  }

  private Again again(Journal journal, RepositoryName name, ObjectSources sources) {
    Optional<ConversionAccess> access = again.open(config);
    if (access.isEmpty()) {
      return new Again(Remaker.NONE, List.of());
    }
    try {
      JournalRemaker remaker =
          new JournalRemaker(
              journal, name, sources, again.archives, access.get(), again.registries, output::note);
      return new Again(remaker, List.of(remaker, access.get()));
    } catch (RuntimeException e) {
      access.get().close();
      throw e;
    }
  }

  private Optional<RepositoryOrigin> origin() {
    if (created == null) {
      if (ttl != null) {
        throw new CommandException(ExitCode.USAGE, "--ttl goes with --created");
      }
      return Optional.empty();
    }
    try {
      RepositoryDefinition.Settings usual = RepositoryDefinition.Settings.DEFAULT;
      return Optional.of(
          ReplayTarget.usual(Instant.parse(created), ttl == null ? usual.ttl().toSeconds() : ttl));
    } catch (DateTimeException e) {
      throw new CommandException(
          ExitCode.USAGE, "--created is a time such as 2026-01-02T03:04:05Z, not " + created);
    }
  }

  /** Ctrl-C ends the replay between two transactions; a kill is as good. */
  private static final class Stop implements AutoCloseable {
    private final AtomicBoolean asked = new AtomicBoolean();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook = new Thread(this::awaitEnd, "lamina-stop");

    Stop() {
      Runtime.getRuntime().addShutdownHook(hook);
    }

    private void awaitEnd() {
      asked.set(true);
      try {
        ended.await(STOP_SECONDS, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    boolean isAsked() {
      return asked.get();
    }

    @Override
    public void close() {
      ended.countDown();
      if (!asked.get()) {
        Runtime.getRuntime().removeShutdownHook(hook);
      }
    }
  }

  private ExitCode report(ReplayPlan plan, Replay.Outcome outcome) throws IOException {
    Replay.Progress progress = outcome.progress();
    ObjectNode node = Output.JSON.createObjectNode();
    node.put("repository", to).put("revision", progress.revision());
    node.put("lastRevision", progress.lastRevision());
    node.put("objectsCopied", progress.objectsCopied()).put("bytesCopied", progress.bytesCopied());
    node.put("objectsMissing", progress.objectsMissing());
    String figures =
        "revision %d of %d, %d objects (%s) copied"
            .formatted(
                progress.revision(),
                progress.lastRevision(),
                progress.objectsCopied(),
                ProgressBar.bytes(progress.bytesCopied()));
    return switch (outcome) {
      case Replay.Outcome.Done done -> {
        output.value(node.put("state", "done").put("root", plan.lastRoot().toString()));
        output.line(to + ": " + figures + ", root " + plan.lastRoot() + " as in the journal");
        if (!done.unshown().isEmpty()) {
          output.line(
              "%d objects that only earlier revisions show are in no source"
                  .formatted(progress.objectsMissing()));
          writeMissing(done.unshown());
        }
        yield ExitCode.OK;
      }
      case Replay.Outcome.Stopped _ -> {
        output.value(node.put("state", "stopped"));
        output.line(to + ": stopped at " + figures + "; the same command goes on");
        yield ExitCode.UNAVAILABLE;
      }
      case Replay.Outcome.Incomplete incomplete -> {
        output.value(node.put("state", "incomplete"));
        output.line(to + ": " + figures + "; it cannot go on, objects are in no source:");
        incomplete.missing().stream()
            .limit(SHOWN_MISSING)
            .forEach(object -> output.line("MISSING " + line(object)));
        if (incomplete.missing().size() > SHOWN_MISSING) {
          output.line(
              "… and %d more; --missing FILE writes them all"
                  .formatted(incomplete.missing().size() - SHOWN_MISSING));
        }
        writeMissing(incomplete.missing());
        yield ExitCode.CORRUPT;
      }
    };
  }

  private static String line(MissingObject object) {
    return object.file() + " below " + object.below() + ": " + object.reason();
  }

  private void writeMissing(List<MissingObject> missing) throws IOException {
    if (missingFile != null) {
      Files.writeString(
          missingFile,
          missing.stream()
              .map(object -> object.file() + " " + object.below() + "\n")
              .sorted()
              .collect(Collectors.joining()),
          StandardCharsets.UTF_8);
    }
  }

  private ExitCode verify(Repository repository, ExitCode before) {
    ReaderSettings reader =
        ReaderSettings.of(
            repository.name(),
            MasterKeys.load(repository.keyFolder().resolve(repository.name() + ".pub")),
            Clock.systemUTC());
    CheckReport report =
        new RepositoryCheck(
                new StoredRepositoryFiles(repository.store(), repository.name().value()),
                CheckSettings.everyObject(reader)
                    .withDepth(CheckSettings.Depth.valueOf(verification.name())),
                counts -> {})
            .run();
    report.problems().forEach(problem -> output.line("PROBLEM " + problem));
    output.value(
        Output.JSON
            .createObjectNode()
            .put("clean", report.isClean())
            .put("problems", report.counts().problems()));
    output.line(
        "checked: %d catalogs, %d entries, %d objects: %s"
            .formatted(
                report.counts().catalogs(),
                report.counts().entries(),
                report.counts().objects(),
                report.isClean() ? "no problems found" : report.counts().problems() + " problems"));
    return report.isClean() ? before : ExitCode.CORRUPT;
  }

  private static void deleteAll(Path scratch) throws IOException {
    try (var files = Files.newDirectoryStream(scratch)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    }
    Files.deleteIfExists(scratch);
  }
}
