package io.lamina.standalone.command;

import io.lamina.cvmfs.compression.Compression;
import io.lamina.standalone.ConversionAccess;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is done about trees and files that no source has any more. */
final class ConvertAgainOptions {
  @Option(
      names = "--archives",
      paramLabel = "FOLDER",
      description = {
        "Convert layers that no source has again from archives in this folder (may be repeated):",
        "an OCI image layout, an upload area, or files named by their SHA-256."
      })
  List<Path> archives = List.of();

  @Option(
      names = "--registries",
      description = {
        "Convert what is in no source and in no archive again from the images' registries.",
        "With --config as that file's converters may, else as you."
      })
  boolean registries;

  @Option(
      names = "--compression",
      paramLabel = "ENGINE-LEVEL",
      description = {
        "How the original's converters compressed (default: as --config says, or the fastest here)."
      })
  @Nullable String compression;

  boolean areGiven() {
    return registries || !archives.isEmpty();
  }

  /** Empty if nothing is to be converted. */
  Optional<ConversionAccess> open(@Nullable Path config) {
    if (!areGiven()) {
      if (compression != null) {
        throw new CommandException(
            ExitCode.USAGE, "--compression goes with --archives or --registries");
      }
      return Optional.empty();
    }
    Optional<Compression> other = Optional.ofNullable(compression).map(Compression::parse);
    ConversionAccess access =
        config == null
            ? ConversionAccess.asThisUser(System.getenv())
            : ConversionAccess.ofSettings(config, System.getenv());
    return Optional.of(
        other
            .map(way -> access.withPipeline(access.pipeline().withCompression(way)))
            .orElse(access));
  }
}
