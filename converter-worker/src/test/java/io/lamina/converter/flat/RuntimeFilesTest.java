package io.lamina.converter.flat;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RuntimeFilesTest {
  @TempDir Path folder;

  private static RunSettings settings(
      List<String> entrypoint, List<String> command, List<String> environment) {
    return new RunSettings(entrypoint, command, environment, new TreeMap<>());
  }

  private static byte[] file(RunSettings settings, String path) {
    return RuntimeFiles.of(settings).stream()
        .filter(wanted -> wanted.path().equals(path))
        .map(wanted -> ((RuntimeFiles.File) wanted).content())
        .findFirst()
        .orElseThrow();
  }

  /** Runs a script as a shell would, and gives its output. */
  private String run(byte[] script, Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    Path file = folder.resolve("script");
    Files.write(file, script);
    List<String> command = new ArrayList<>(List.of("/bin/sh", file.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  @Test
  void runsEntryPointAndCommandWordForWord() throws Exception {
    List<String> entrypoint = List.of("printf", "<%s>", "it's", "$HOME `id`");
    List<String> command = List.of("a  b", "", "*", "line\nbreak", "\"");
    byte[] script = file(settings(entrypoint, command, List.of()), ".singularity.d/runscript");

    assertThat(run(script, Map.of())).isEqualTo("<it's><$HOME `id`><a  b><><*><line\nbreak><\">");
    assertThat(run(script, Map.of(), "x y", "$z")).isEqualTo("<it's><$HOME `id`><x y><$z>");
  }

  @Test
  void runsTheCommandOrTheArgumentsWhereThereIsNoEntryPoint() throws Exception {
    byte[] script =
        file(
            settings(List.of(), List.of("echo", "default"), List.of()), ".singularity.d/runscript");

    assertThat(run(script, Map.of())).isEqualTo("default\n");
    assertThat(run(script, Map.of(), "echo", "given")).isEqualTo("given\n");
  }

  @Test
  void setsThePathAlwaysAndOtherVariablesWhereTheyAreNotSet() throws Exception {
    byte[] environment =
        file(
            settings(
                List.of(),
                List.of(),
                List.of(
                    "PATH=/opt/it's/bin:/bin:/usr/bin",
                    "A=image's $HOME",
                    "B=image",
                    "bad name=x",
                    "C; touch /tmp/x=1",
                    "EMPTY")),
            ".singularity.d/env/10-docker2singularity.sh");
    byte[] script =
        (new String(environment, StandardCharsets.UTF_8) + "echo \"$PATH|$A|$B|$EMPTY\"\n")
            .getBytes(StandardCharsets.UTF_8);

    assertThat(run(script, Map.of("B", "user")))
        .isEqualTo("/opt/it's/bin:/bin:/usr/bin|image's $HOME|user|\n");
    assertThat(new String(environment, StandardCharsets.UTF_8)).doesNotContain("touch");
  }

  @Test
  void writesScriptsThatAShellAccepts() throws Exception {
    RunSettings settings = settings(List.of("e"), List.of("c"), List.of("A=b"));
    for (RuntimeFiles.Wanted wanted : RuntimeFiles.of(settings)) {
      if (wanted instanceof RuntimeFiles.File script && script.permissions() == 0755) {
        Path file = folder.resolve("checked");
        Files.write(file, script.content());
        Process check = new ProcessBuilder("/bin/sh", "-n", file.toString()).start();

        assertThat(check.waitFor()).as(script.path()).isZero();
        assertThat(new String(script.content(), StandardCharsets.UTF_8)).startsWith("#!/bin/sh\n");
      }
    }
  }

  @Test
  void writesLabelsInTheOrderOfTheirNames() throws Exception {
    RunSettings settings =
        RunSettings.of(
            "{\"config\":{\"Labels\":{\"b\":\"2\",\"a\":\"\u00e9\\n\"},\"Cmd\":\"one\"}}"
                .getBytes(StandardCharsets.UTF_8));

    byte[] labels = file(settings, ".singularity.d/labels.json");

    assertThat(new String(labels, StandardCharsets.UTF_8))
        .isEqualTo("{\n  \"a\" : \"\u00e9\\n\",\n  \"b\" : \"2\"\n}\n");
    assertThat(JsonMapper.builder().build().readTree(labels).path("b").asText()).isEqualTo("2");
    assertThat(settings.command()).containsExactly("one");
  }
}
