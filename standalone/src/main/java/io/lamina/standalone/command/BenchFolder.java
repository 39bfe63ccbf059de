package io.lamina.standalone.command;

import io.lamina.standalone.bench.WorkFolder;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a benchmark writes. */
final class BenchFolder {
  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Where to write (default: the system's temporary folder); removed at the end.")
  @Nullable Path data;

  /** A folder of its own; the caller closes it. */
  WorkFolder open() throws IOException {
    return WorkFolder.in(data == null ? Path.of(System.getProperty("java.io.tmpdir")) : data);
  }
}
