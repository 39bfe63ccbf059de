package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.ImageReference;
import io.lamina.journal.Journal;
import io.lamina.journal.JournalFile;
import io.lamina.journal.JournalHistory;
import io.lamina.journal.TopicJournal;
import io.lamina.standalone.KafkaAccess;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What the journal says of a repository's revisions. */
@Command(
    name = "history",
    description = {
      "Lists a repository's revisions, oldest first: when they were published and which images they",
      "changed. With an image only those that changed it, and what it showed from then on."
    },
    mixinStandardHelpOptions = true)
final class HistoryCommand implements Callable<Integer> {
  private static final int SHOWN_IMAGES = 5;

  @Parameters(index = "0", paramLabel = "REPO", description = "The repository's name.")
  String repository = "";

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "IMAGE",
      description = "As for 'lamina convert'.")
  @Nullable String image;

  @Option(
      names = "--from",
      paramLabel = "FILE",
      description = "A file of 'lamina journal export' instead of the topic.")
  @Nullable Path file;

  @Mixin KafkaOptions brokers = new KafkaOptions();
  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    if (file != null) {
      if (brokers.areGiven()) {
        throw new CommandException(ExitCode.USAGE, "give a file or brokers, not both");
      }
      return list(new JournalFile(file));
    }
    try (KafkaAccess kafka = brokers.open()) {
      return list(new TopicJournal(kafka.kafka()));
    }
  }

  private int list(Journal journal) {
    Optional<String> name = Optional.ofNullable(image).map(HistoryCommand::publicName);
    long[] found = {0};
    JournalHistory.read(
        journal,
        new RepositoryName(repository),
        name,
        revision -> {
          found[0]++;
          output.value(json(revision));
          output.line(
              "%6d  %s  %s  %s"
                  .formatted(
                      revision.revision(), revision.writtenAt(), revision.root(), text(revision)));
        });
    if (found[0] == 0) {
      throw new CommandException(
          ExitCode.NOT_FOUND,
          journal
              + " says nothing of "
              + name.map(shown -> shown + " in ").orElse("")
              + repository);
    }
    return ExitCode.OK.number();
  }

  private static String publicName(String image) {
    return ImageReference.parse(image).publicName();
  }

  private static String text(JournalHistory.Revision revision) {
    StringBuilder text = new StringBuilder();
    revision.images().stream().limit(SHOWN_IMAGES).forEach(change -> text.append(text(change)));
    if (revision.images().size() > SHOWN_IMAGES) {
      text.append("and %d more images".formatted(revision.images().size() - SHOWN_IMAGES));
    }
    return text.isEmpty() ? revision.changes() + " changes, no image's" : text.toString().strip();
  }

  private static String text(JournalHistory.ImageChange change) {
    return change.publicName()
        + (change.removed() ? " removed" : "")
        + change.imageId().map(id -> " = sha256:" + id).orElse("")
        + "  ";
  }

  private static ObjectNode json(JournalHistory.Revision revision) {
    ObjectNode node = Output.JSON.createObjectNode();
    node.put("revision", revision.revision()).put("at", revision.writtenAt().toString());
    node.put("root", revision.root().toString()).put("changes", revision.changes());
    var images = node.putArray("images");
    for (JournalHistory.ImageChange change : revision.images()) {
      ObjectNode one = images.addObject().put("name", change.publicName());
      change.imageId().ifPresent(id -> one.put("imageId", "sha256:" + id));
      change.manifest().ifPresent(object -> one.put("manifestObject", object.toString()));
      one.put("removed", change.removed());
    }
    var requests = node.putArray("requests");
    revision.requests().forEach(request -> requests.add(request.value()));
    return node;
  }
}
