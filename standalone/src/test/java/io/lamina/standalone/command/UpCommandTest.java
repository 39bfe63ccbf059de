package io.lamina.standalone.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UpCommandTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "gateway.listen.port = 9090, --port, 0, 'gateway.listen.port'",
    "thin.allow = quay.io/thin/*, --thin-allow, quay.io, 'thin.allow'",
    "gateway.tokens = /tokens, --port, 0, unknown key 'gateway.tokens'; did you mean",
  })
  void startsNothingWithSettingsThatItCannotUse(
      String line, String option, String value, String reason) throws Exception {
    Path config = Files.writeString(folder.resolve("lamina.properties"), line + "\n");
    Path data = folder.resolve("data");

    CommandRun run =
        CommandRun.of(
            "up", "--data", data.toString(), "--config", config.toString(), option, value);

    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE.number());
    assertThat(run.err()).contains(reason);
    assertThat(data).doesNotExist();
  }
}
