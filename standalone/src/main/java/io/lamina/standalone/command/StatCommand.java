package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Shows all that is known of one entry. */
@Command(
    name = "stat",
    description = "Shows all that a repository knows of one entry; links are not followed.",
    mixinStandardHelpOptions = true)
final class StatCommand implements Callable<Integer> {
  @Mixin RepositorySource source = new RepositorySource();

  @Parameters(index = "1", arity = "0..1", paramLabel = "PATH", description = "Default: the root.")
  String path = "/";

  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    return source.withReader(
        reader -> {
          ObjectNode entry = EntryText.json(reader.stat(RepositorySource.path(path)));
          output.value(entry);
          entry
              .properties()
              .forEach(
                  field ->
                      output.line(
                          "%-14s %s"
                              .formatted(
                                  field.getKey(),
                                  field.getValue().isTextual()
                                      ? field.getValue().asText()
                                      : field.getValue().toString())));
          return 0;
        });
  }
}
