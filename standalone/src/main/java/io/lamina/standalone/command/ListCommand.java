package io.lamina.standalone.command;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.reader.FileStat;
import io.lamina.cvmfs.reader.RepositoryReader;
import io.lamina.standalone.verify.LinkResolution;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists a directory of a published repository. */
@Command(
    name = "ls",
    description = "Lists a directory of a repository.",
    mixinStandardHelpOptions = true)
final class ListCommand implements Callable<Integer> {
  @Mixin RepositorySource source = new RepositorySource();

  @Parameters(index = "1", arity = "0..1", paramLabel = "PATH", description = "Default: the root.")
  String path = "/";

  @Option(names = "-l", description = "Modes, owners, sizes, times, targets.")
  boolean isLong;

  @Option(
      names = {"-R", "--recursive"},
      description = "Everything below PATH too.")
  boolean isRecursive;

  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    return source.withReader(
        reader -> {
          RepositoryPath start = followed(reader, RepositorySource.path(path));
          if (isRecursive) {
            reader.walk(start, stat -> show(stat, stat.path().toString()));
          } else {
            FileStat stat = reader.stat(start);
            List<FileStat> entries =
                stat.entry().isDirectory() ? reader.list(start) : List.of(stat);
            entries.forEach(entry -> show(entry, EntryText.name(entry)));
          }
          return 0;
        });
  }

  /** A link to a directory is listed as the directory, as {@code ls DIR/} does. */
  private static RepositoryPath followed(RepositoryReader reader, RepositoryPath path) {
    return LinkResolution.follow(reader, path);
  }

  private void show(FileStat stat, String name) {
    output.value(EntryText.json(stat));
    output.line(isLong ? EntryText.longLine(stat, name) : name);
  }
}
