package io.lamina.standalone.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchCommandTest {
  @TempDir Path folder;

  @Test
  void helpNamesEveryOption() {
    CommandRun run = CommandRun.of("bench", "--help");

    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .contains(
            "IMAGE",
            "--synthetic=SIZE",
            "--stage=STAGE",
            "--platform=",
            "--compression=ENGINE[-LEVEL]",
            "--transactions",
            "--layers=N",
            "--count=N",
            "--replay=N",
            "--rounds=N",
            "--data=DIR",
            "--json");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "--synthetic 10q                    | '10q' is not a size",
        "--synthetic -1g                    | '-1g' is not a size",
        "--synthetic 1k                     | from 1m to 150g",
        "--synthetic 1t                     | from 1m to 150g",
        "--synthetic 10m oci:/x             | not both",
        "--synthetic 10m --stage plain,fast | no stage is called 'fast'; there are plain, per-file",
        "--compression jdk-0                | not within 1..9",
        "--compression lzma                 | none of fastest",
        "--rounds 0                         | --rounds is from 1 to 100",
        "--layers 100                       | --layers goes with --transactions",
        "--transactions oci:/x              | --transactions goes with --layers",
        "--transactions --synthetic 10m     | --transactions goes with --layers",
        "--transactions --layers 100,100    | rising",
        "--transactions --layers 0          | rising",
        "--transactions --layers 1000000000 | rising",
        "--count 3                          | --count goes with --transactions",
        "--transactions --count 0           | --count goes with --transactions and is 1 to",
        "--transactions --layers ten        | Invalid value",
        "--replay 0                         | --replay is from 1 to",
        "--replay 5 --transactions          | --replay goes without"
      })
  void refusesWhatMakesNoSense(String arguments, String reason) {
    List<String> line = new ArrayList<>(List.of("bench", "--data", folder.toString()));
    line.addAll(List.of(arguments.split(" +")));

    CommandRun run = CommandRun.of(line.toArray(String[]::new));

    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE.number());
    assertThat(run.err()).contains(reason);
    assertThat(run.out()).isEmpty();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void saysThatAnImageDoesNotExistAndLeavesNothing() {
    CommandRun run =
        CommandRun.of("bench", "oci:" + folder.resolve("none"), "--data", folder.toString());

    assertThat(run.exitCode()).isEqualTo(ExitCode.NOT_FOUND.number());
    assertThat(run.err()).contains(folder.resolve("none").toString());
    assertThat(folder).isEmptyDirectory();
  }
}
