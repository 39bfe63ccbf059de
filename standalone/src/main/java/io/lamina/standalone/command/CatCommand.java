package io.lamina.standalone.command;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.standalone.verify.LinkResolution;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Writes a file of a published repository to standard output, verified. */
@Command(
    name = "cat",
    description = "Writes a file of a repository to standard output; every byte is verified.",
    mixinStandardHelpOptions = true)
final class CatCommand implements Callable<Integer> {
  @Mixin RepositorySource source = new RepositorySource();

  @Parameters(index = "1", paramLabel = "PATH", description = "The file.")
  String path = "";

  @Override
  public Integer call() {
    return source.withReader(
        reader -> {
          try (InputStream content =
              reader.open(LinkResolution.follow(reader, RepositorySource.path(path)))) {
            content.transferTo(System.out);
            System.out.flush();
            return 0;
          } catch (IOException e) {
            throw new CvmfsException.Retryable("cannot read " + path + ": " + e.getMessage(), e);
          }
        });
  }
}
