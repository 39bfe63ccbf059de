package io.lamina.standalone.command;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.reader.RepositoryReader;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.standalone.RepositoryPlaces;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Names the repository that a reading command works on, and whom it trusts. */
final class RepositorySource {
  @Parameters(
      index = "0",
      paramLabel = "REPO",
      description = {
        "Folder or http(s) address that holds .cvmfspublished, or a storage location,",
        "s3:http(s)://HOST[:PORT]/BUCKET[/PREFIX][?credentials=/FILE]."
      })
  String location = "";

  @Option(
      names = "--key",
      paramLabel = "FILE",
      description =
          "Public key, or a folder of them (default: keys/NAME.pub beside the folder's parent).")
  @Nullable Path key;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "The repository's name (default: the last part of REPO).")
  @Nullable String name;

  /** Opens the source, gives it to {@code use}, and closes it. */
  <T> T withFiles(Function<RepositoryFiles, T> use) {
    try (RepositoryFiles files = files()) {
      return use.apply(files);
    }
  }

  /** As {@link #withFiles}, with a reader of the published revision. */
  <T> T withReader(Function<RepositoryReader, T> use) {
    return withFiles(
        files -> {
          try (RepositoryReader reader = RepositoryReader.open(files, settings())) {
            return use.apply(reader);
          }
        });
  }

  ReaderSettings settings() {
    return ReaderSettings.of(repository(), MasterKeys.load(keyFile()), Clock.systemUTC())
        .withEnvironment(variables());
  }

  private RepositoryFiles files() {
    if (!isStored() && !isOnTheWeb()) {
      folder();
    }
    return RepositoryPlaces.open(location);
  }

  private boolean isOnTheWeb() {
    return RepositoryPlaces.isOnTheWeb(location);
  }

  /**
   * Where a client fetches files: a web address or a folder.
   *
   * @throws CommandException if it is a storage location, which only publishers read
   */
  String server() {
    if (isStored()) {
      throw new CommandException(
          ExitCode.USAGE,
          "a client reads over HTTP or from a folder; give the address at which "
              + RepositoryPlaces.withoutQuery(location)
              + " is served");
    }
    return isOnTheWeb() ? location : folder().toAbsolutePath().normalize().toString();
  }

  private boolean isStored() {
    return RepositoryPlaces.isStored(location);
  }

  private Path folder() {
    Path folder = RepositoryPlaces.folder(location);
    if (!Files.isRegularFile(folder.resolve(".cvmfspublished"))) {
      throw new CommandException(
          ExitCode.NOT_FOUND,
          "no repository in " + folder.toAbsolutePath() + ": it has no .cvmfspublished");
    }
    return folder;
  }

  /** The repository's name, as given or as the location says. */
  RepositoryName repository() {
    return new RepositoryName(
        name != null
            ? name
            : RepositoryPlaces.withoutQuery(location).replaceAll("/+$", "").replaceAll(".*/", ""));
  }

  /** The key that is trusted. */
  Path keyFile() {
    if (key != null) {
      return key;
    }
    if (!isOnTheWeb() && !isStored()) {
      Path folder = folder().toAbsolutePath().normalize();
      Path data = folder.getParent() == null ? null : folder.getParent().getParent();
      if (data != null) {
        Path beside = data.resolve("keys").resolve(repository() + ".pub");
        if (Files.isRegularFile(beside)) {
          return beside;
        }
      }
    }
    throw new CommandException(
        ExitCode.USAGE,
        "which key is to be trusted? Name the public key of " + repository() + " with --key FILE");
  }

  /**
   * Variables of symbolic links: the original client sets the architecture, the rest is the user's.
   */
  private static Map<String, String> variables() {
    Map<String, String> variables = new java.util.HashMap<>(System.getenv());
    String architecture = System.getProperty("os.arch");
    variables.putIfAbsent("CVMFS_ARCH", architecture.equals("amd64") ? "x86_64" : architecture);
    return variables;
  }

  /** A path that a person typed: with or without the leading slash. */
  static RepositoryPath path(String typed) {
    String absolute = typed.startsWith("/") ? typed : "/" + typed;
    return RepositoryPath.ofBytes(
        absolute.replaceAll("(?<=.)/+$", "").getBytes(StandardCharsets.UTF_8));
  }
}
