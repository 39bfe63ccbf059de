package io.lamina.standalone.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.reader.LocalRepositoryFiles;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.reader.RepositoryReader;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.image.testing.ReferenceRegistry;
import io.lamina.image.testing.TestImage;
import io.lamina.standalone.EmbeddedLamina;
import io.lamina.standalone.client.GatewayClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** A registry and everything of Lamina in one process, with a repository, for command lines. */
final class CommandSite implements AutoCloseable {
  private final RepositoryName repository;
  private final Path data;
  private final ReferenceRegistry registry;
  private final EmbeddedLamina lamina;

  private CommandSite(
      RepositoryName repository, Path data, ReferenceRegistry registry, EmbeddedLamina lamina) {
    this.repository = repository;
    this.data = data;
    this.registry = registry;
    this.lamina = lamina;
  }

  /** Skips the test where there is no registry. */
  static CommandSite start(Path folder, RepositoryName repository) throws IOException {
    ReferenceRegistry.assumeInstalled();
    Path data = folder.resolve("data");
    ReferenceRegistry registry =
        ReferenceRegistry.start(Files.createDirectory(folder.resolve("registry")));
    EmbeddedLamina lamina;
    try {
      lamina = EmbeddedLamina.start(data, 0);
    } catch (RuntimeException e) {
      registry.close();
      throw e;
    }
    CommandSite site = new CommandSite(repository, data, registry, lamina);
    try (GatewayClient gateway = new GatewayClient(lamina.address(), Optional.empty())) {
      gateway.post(
          "/api/v1/repositories",
          new ObjectMapper().createObjectNode().put("name", repository.value()),
          Map.of());
    }
    return site;
  }

  String data() {
    return data.toString();
  }

  String gateway() {
    return lamina.address().toString();
  }

  String host() {
    return registry.host();
  }

  /** The folder that a web server would serve. */
  Path repositoryFolder() {
    return lamina.repositoryFolder(repository);
  }

  /** Makes the registry show the image under the name, and the repository as well. */
  void publish(String name, String tag, TestImage image) {
    registry.push(name, tag, image);
    CommandRun run =
        CommandRun.of(
            "convert",
            host() + "/" + name + ":" + tag,
            "--repo",
            repository.value(),
            "--wait",
            "--gateway",
            gateway());
    assertThat(run.exitCode()).as(run.err() + run.out()).isZero();
  }

  /** Where the link of an image leads to. */
  String target(String publicName) {
    return read(
        reader ->
            new String(
                reader.stat(RepositoryPath.of("/" + publicName)).entry().symlinkTarget(),
                StandardCharsets.UTF_8));
  }

  /** What a new reader of the published repository finds. */
  <T> T read(Function<RepositoryReader, T> question) {
    ReaderSettings settings =
        ReaderSettings.of(
            repository, MasterKeys.load(lamina.publicKey(repository)), Clock.systemUTC());
    try (LocalRepositoryFiles files = new LocalRepositoryFiles(repositoryFolder());
        RepositoryReader reader = RepositoryReader.open(files, settings)) {
      return question.apply(reader);
    }
  }

  @Override
  public void close() {
    lamina.close();
    registry.close();
  }
}
