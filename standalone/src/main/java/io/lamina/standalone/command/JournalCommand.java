package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.journal.Journal;
import io.lamina.journal.JournalException;
import io.lamina.journal.JournalExport;
import io.lamina.journal.JournalFile;
import io.lamina.journal.JournalImport;
import io.lamina.journal.RepositorySummary;
import io.lamina.journal.Snapshot;
import io.lamina.journal.SnapshotFile;
import io.lamina.journal.TopicJournal;
import io.lamina.journal.replay.ReplayPlan;
import io.lamina.journal.replay.Until;
import io.lamina.messaging.JournalAppender;
import io.lamina.standalone.KafkaAccess;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The journal of transactions as a file. */
@Command(
    name = "journal",
    description = {
      "Writes the journal of transactions to a file and back, and checks either.",
      "A repository can be rebuilt from it: see 'lamina replay'."
    },
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      JournalCommand.Export.class,
      JournalCommand.Import.class,
      JournalCommand.Verify.class,
      JournalCommand.Take.class
    })
final class JournalCommand implements Runnable {
  private static final int PROGRESS_EVERY = 1_000;

  @Spec picocli.CommandLine.Model.CommandSpec spec;

  JournalCommand() {
    this.spec = picocli.CommandLine.Model.CommandSpec.create();
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "a command is missing; 'lamina journal --help' lists them");
  }

  /** Which repositories. */
  static final class Chosen {
    @Option(
        names = "--repo",
        paramLabel = "NAME",
        description = "Only this repository (may be repeated; default: all).")
    List<String> names = List.of();

    List<RepositoryName> of(Journal journal) {
      return names.isEmpty()
          ? journal.repositories()
          : names.stream().map(RepositoryName::new).distinct().sorted().toList();
    }
  }

  /** Whether a file may be replaced. */
  static final class Replacing {
    @Option(names = "--force", description = "Replace a file that is there.")
    boolean force;

    void check(Path target) {
      if (!force && Files.exists(target)) {
        throw new CommandException(
            ExitCode.REFUSED, target + " exists; name another file, or say --force");
      }
    }
  }

  /** What is done with a journal, wherever it is. */
  private interface Use {
    int of(Journal journal) throws IOException;
  }

  /** Reads a file if there is one, the topic if not. */
  private static int read(@Nullable Path file, KafkaOptions brokers, Use use) throws IOException {
    if (file != null) {
      if (brokers.areGiven()) {
        throw new CommandException(ExitCode.USAGE, "give a file or brokers, not both");
      }
      return use.of(new JournalFile(file));
    }
    try (KafkaAccess kafka = brokers.open()) {
      return use.of(new TopicJournal(kafka.kafka()));
    }
  }

  /** Topic to file. */
  @Command(
      name = "export",
      description = {
        "Writes the journal to a file. The same transactions give the same bytes.",
        "Revisions that are written while it runs may be left out."
      },
      mixinStandardHelpOptions = true)
  static final class Export implements Callable<Integer> {
    @Parameters(
        paramLabel = "FILE",
        description = "Written under another name first; '-' is standard output.")
    String file = "";

    @Option(
        names = "--since",
        paramLabel = "REVISION",
        defaultValue = "1",
        description = "Leave out what comes before this revision.")
    long since = 1;

    @Mixin Replacing replacing = new Replacing();
    @Mixin Chosen chosen = new Chosen();
    @Mixin KafkaOptions brokers = new KafkaOptions();
    @Mixin Output output = new Output();

    @Override
    public Integer call() throws IOException {
      boolean toStandardOutput = file.equals("-");
      if (toStandardOutput && output.isJson()) {
        throw new CommandException(
            ExitCode.USAGE, "--json and the journal cannot share the output");
      }
      Path target = Path.of(file).toAbsolutePath();
      if (!toStandardOutput) {
        replacing.check(target);
      }
      try (KafkaAccess kafka = brokers.open()) {
        Journal journal = new TopicJournal(kafka.kafka());
        List<RepositoryName> repositories = chosen.of(journal);
        Counting counting = new Counting(output, "exported");
        if (toStandardOutput) {
          OutputStream out = System.out;
          JournalExport.to(out, journal, repositories, since, entry -> counting.one());
        } else {
          JournalExport.toFile(journal, repositories, since, target, entry -> counting.one())
              .forEach(summary -> report(output, summary));
        }
      }
      return ExitCode.OK.number();
    }
  }

  /** File to topic. */
  @Command(
      name = "import",
      description = {
        "Says on the topic what a file has and the topic lacks. Refuses a gap and another history.",
        "Stop the publishers of the repository first. Interrupted, it can be repeated."
      },
      mixinStandardHelpOptions = true)
  static final class Import implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "As 'export' wrote it.")
    Path file = Path.of("");

    @Option(
        names = "--later-start",
        description =
            "Allow a journal that does not begin with revision 1 where the topic has none.")
    boolean laterStart;

    @Mixin Chosen chosen = new Chosen();
    @Mixin KafkaOptions brokers = new KafkaOptions();
    @Mixin Output output = new Output();

    @Override
    public Integer call() {
      Journal source = new JournalFile(file);
      List<RepositoryName> repositories = chosen.of(source);
      try (KafkaAccess kafka = brokers.open()) {
        kafka.ensureTopics();
        try (JournalAppender appender = new JournalAppender(kafka.kafka(), Clock.systemUTC())) {
          JournalImport run =
              new JournalImport(source, new TopicJournal(kafka.kafka()), appender::append);
          Counting counting = new Counting(output, "imported");
          for (RepositoryName repository : repositories) {
            JournalImport.Result result = run.run(repository, laterStart, _ -> counting.one());
            ObjectNode node = json(result.source());
            output.value(node.put("present", result.present()).put("imported", result.appended()));
            output.line(
                "%s: %d transactions imported, %d were there; revisions %d to %d"
                    .formatted(
                        repository,
                        result.appended(),
                        result.present(),
                        result.source().firstRevision(),
                        result.source().lastRevision()));
          }
        }
      }
      return ExitCode.OK.number();
    }
  }

  /** File or topic. */
  @Command(
      name = "verify",
      description = {
        "Checks a file, or the topic: checksums, revisions without gaps, each on the root before it."
      },
      mixinStandardHelpOptions = true)
  static final class Verify implements Callable<Integer> {
    @Parameters(
        arity = "0..1",
        paramLabel = "FILE",
        description = "Without one, the topic is checked.")
    @Nullable Path file;

    @Mixin Chosen chosen = new Chosen();
    @Mixin KafkaOptions brokers = new KafkaOptions();
    @Mixin Output output = new Output();

    @Override
    public Integer call() throws IOException {
      return read(file, brokers, this::verify);
    }

    private int verify(Journal journal) {
      ExitCode worst = ExitCode.OK;
      for (RepositoryName repository : chosen.of(journal)) {
        try {
          report(
              output,
              RepositorySummary.of(journal, repository)
                  .orElseThrow(
                      () ->
                          new JournalException.NotFound(
                              journal + " has no transaction of " + repository)));
        } catch (JournalException.Corrupt e) {
          // Others may be whole: a topic's repositories have nothing to do with each other.
          output.note("lamina: " + repository + ": " + e.getMessage());
          worst = ExitCode.CORRUPT;
        }
      }
      return worst.number();
    }
  }

  /** Repository to file. */
  @Command(
      name = "snapshot",
      description = {
        "Writes down what a repository shows now, as its publisher signed it: a replay can begin there.",
        "Verifies signature and whitelist, and that the journal says the same of the revision."
      },
      mixinStandardHelpOptions = true)
  static final class Take implements Callable<Integer> {
    @Mixin RepositorySource source = new RepositorySource();

    @Parameters(index = "1", paramLabel = "FILE", description = "Written under another name first.")
    Path file = Path.of("");

    @Option(
        names = "--from",
        paramLabel = "JOURNAL",
        description = "A file of 'lamina journal export' (default: the topic).")
    @Nullable Path from;

    @Mixin Replacing replacing = new Replacing();
    @Mixin KafkaOptions brokers = new KafkaOptions();
    @Mixin Output output = new Output();

    @Override
    public Integer call() throws IOException {
      Path target = file.toAbsolutePath();
      replacing.check(target);
      return read(from, brokers, journal -> take(journal, target));
    }

    private int take(Journal journal, Path target) throws IOException {
      ReaderSettings reader = source.settings();
      ReplayPlan plan = ReplayPlan.of(journal, reader.repository(), Until.END);
      Snapshot snapshot = source.withFiles(files -> Snapshot.take(files, reader, plan.origin()));
      snapshot.requireIn(journal);
      SnapshotFile.write(snapshot, target);
      output.value(
          Output.JSON
              .createObjectNode()
              .put("repository", reader.repository().value())
              .put("revision", snapshot.revision())
              .put("root", snapshot.manifest().rootCatalog().toString()));
      output.line(
          "%s: revision %d, root %s"
              .formatted(
                  reader.repository(), snapshot.revision(), snapshot.manifest().rootCatalog()));
      return ExitCode.OK.number();
    }
  }

  private static void report(Output output, RepositorySummary summary) {
    output.value(json(summary));
    output.line(
        "%s: %d transactions, revisions %d to %d, from root %s to %s"
            .formatted(
                summary.repository(),
                summary.transactions(),
                summary.firstRevision(),
                summary.lastRevision(),
                summary.firstBase(),
                summary.lastRoot()));
  }

  private static ObjectNode json(RepositorySummary summary) {
    return Output.JSON
        .createObjectNode()
        .put("repository", summary.repository().value())
        .put("transactions", summary.transactions())
        .put("firstRevision", summary.firstRevision())
        .put("lastRevision", summary.lastRevision())
        .put("firstBase", summary.firstBase().toString())
        .put("lastRoot", summary.lastRoot().toString());
  }

  /** Says from time to time how far it is, on standard error. */
  private static final class Counting {
    private final Output output;
    private final String what;
    private long count;

    Counting(Output output, String what) {
      this.output = output;
      this.what = what;
    }

    void one() {
      if (++count % PROGRESS_EVERY == 0) {
        output.note(count + " transactions " + what);
      }
    }
  }
}
