package io.lamina.standalone.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

final class PluginOptionsTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "--config /etc/lamina/plugin",
        "--check --name n --state /s",
        "--name n --state /s --client embedded --gateway http://g --kafka k:9092",
        "--name n --state /s --repository a.test=http://a,/a.pub --repository b.test=http://b,/b.pub",
        "--state /s --name n --snapshotter /run/s.sock --only-snapshotter",
        ""
      })
  void meansWhatPicocliReads(String line) {
    String[] words = line.isEmpty() ? new String[0] : line.split(" ");

    assertThat(PluginOptions.plain(List.of(words)))
        .get()
        .usingRecursiveComparison()
        .isEqualTo(CommandLine.populateCommand(new PluginOptions(), words));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--help",
        "--json --name n",
        "--name",
        "--name=n",
        "--name n --name m",
        "--name --state /s",
        "--unknown x",
        "--config @file",
        "@file",
        "name n"
      })
  void leavesToPicocliWhatItAloneUnderstands(String line) {
    assertThat(PluginOptions.plain(List.of(line.split(" ")))).isEmpty();
  }

  @Test
  void leavesAnEmptyValueToPicocli() {
    assertThat(PluginOptions.plain(List.of("--name", ""))).isEmpty();
  }

  @Test
  void tellsAFailureAsPicocliWould() {
    String[] wrong = {"plugin", "--config", "/etc/hostname", "--name", "n"};

    CommandRun plain = CommandRun.of(wrong);

    assertThat(plain.exitCode()).isEqualTo(2);
    assertThat(plain.err()).startsWith("lamina: --config replaces the other options");
    assertThat(CommandRun.of("plugin", "--json", wrong[1], wrong[2], wrong[3], wrong[4]))
        .isEqualTo(plain);
  }
}
