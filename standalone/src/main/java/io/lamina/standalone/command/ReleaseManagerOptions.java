package io.lamina.standalone.command;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.repository.RepositoryDefinition.Backend;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Who writes a new repository's transactions, and where the original tools keep theirs. */
final class ReleaseManagerOptions {
  private static final String NATIVE = "native";
  private static final String SERVER = "cvmfs_server";

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description =
          "native (default), or cvmfs_server: the original tools on this machine, where a"
              + " repository of the same name must exist.")
  @Nullable String backend;

  @Option(
      names = "--server-url",
      paramLabel = "URL",
      description =
          "Where clients read it: file:///FOLDER or http(s)://… (file:///srv/cvmfs/NAME).")
  @Nullable String url;

  @Option(
      names = "--server-key",
      paramLabel = "FILE",
      description = "Its public key (/etc/cvmfs/keys/NAME.pub).")
  @Nullable Path key;

  @Option(
      names = "--server-command",
      paramLabel = "FILE",
      description = "The tool (/usr/bin/cvmfs_server).")
  @Nullable Path command;

  @Option(
      names = "--accept-losses",
      description =
          "Publish trees although the tool drops extended attributes: capabilities, opaque"
              + " directories.")
  boolean acceptLosses;

  boolean areGiven() {
    return backend != null || url != null || key != null || command != null || acceptLosses;
  }

  Backend backend(RepositoryName name) {
    if (backend == null || backend.equals(NATIVE)) {
      if (url != null || key != null || command != null || acceptLosses) {
        throw new CommandException(
            ExitCode.USAGE, "the options of a release manager are for --backend " + SERVER);
      }
      return Backend.NATIVE;
    }
    if (!backend.equals(SERVER)) {
      throw new CommandException(
          ExitCode.USAGE, "--backend is " + NATIVE + " or " + SERVER + ", not " + backend);
    }
    Backend.CvmfsServer standard = Backend.CvmfsServer.standard(name);
    return new Backend.CvmfsServer(
        url == null ? standard.read() : uri(url),
        Optional.ofNullable(key).map(Path::toAbsolutePath).orElse(standard.publicKey()),
        Optional.ofNullable(command).map(Path::toAbsolutePath).orElse(standard.command()),
        standard.mount(),
        standard.spool(),
        standard.timeout(),
        acceptLosses);
  }

  private static URI uri(String text) {
    try {
      return new URI(text);
    } catch (URISyntaxException e) {
      throw new CommandException(ExitCode.USAGE, "--server-url is no address: " + text);
    }
  }
}
