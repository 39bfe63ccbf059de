package io.lamina.converter.flat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.lamina.image.ImageException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The files by which Apptainer and Singularity run a root file system as the image's config says:
 * entry point, command, environment, labels, and the mount points that they need. Immutable.
 *
 * <p>Source: docs/conversion.md, "Files for Apptainer".
 */
final class RuntimeFiles {
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

  private static final String ENVIRONMENT =
      """
      #!/bin/sh
      # Reads the environment that the image asks for, in order.
      for script in /.singularity.d/env/*.sh; do
        if [ -f "$script" ]; then
          . "$script"
        fi
      done
      """;

  private final List<String> entrypoint;
  private final List<String> command;
  private final List<String> environment;
  private final Map<String, String> labels;

  private RuntimeFiles(
      List<String> entrypoint,
      List<String> command,
      List<String> environment,
      Map<String, String> labels) {
    this.entrypoint = entrypoint;
    this.command = command;
    this.environment = environment;
    this.labels = labels;
  }

  /**
   * Reads an image's config.
   *
   * @throws ImageException.Rejected if it is not a JSON object
   */
  static RuntimeFiles of(byte[] config) {
    JsonNode run;
    try {
      run = JSON.readTree(config).path("config");
    } catch (IOException e) {
      throw new ImageException.Rejected("the image's config is not valid JSON: " + e.getMessage(), e);
    }
    Map<String, String> labels = new TreeMap<>();
    run.path("Labels").properties().forEach(label -> labels.put(label.getKey(), label.getValue().asText()));
    return new RuntimeFiles(
        texts(run.path("Entrypoint")), texts(run.path("Cmd")), texts(run.path("Env")), labels);
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(element -> texts.add(element.asText()));
    return texts;
  }

  void addTo(FlatMerger.Additions add) {
    for (String directory :
        List.of("/dev", "/proc", "/root", "/var", "/var/tmp", "/tmp", "/etc", "/sys", "/home")) {
      add.directory(directory);
    }
    add.file("/etc/hosts", 0644, new byte[0]);
    add.file("/etc/resolv.conf", 0644, new byte[0]);

    add.directory("/.singularity.d/libs");
    script(add, "/.singularity.d/actions/exec", ENVIRONMENT + "exec \"$@\"\n");
    script(
        add,
        "/.singularity.d/actions/run",
        ENVIRONMENT + "exec /.singularity.d/runscript \"$@\"\n");
    script(
        add,
        "/.singularity.d/actions/shell",
        ENVIRONMENT
            + """
              for shell in "${APPTAINER_SHELL:-}" "${SINGULARITY_SHELL:-}" /bin/bash /bin/sh; do
                if [ -n "$shell" ] && [ -x "$shell" ]; then
                  exec "$shell" "$@"
                fi
              done
              echo "no shell in this image" >&2
              exit 255
              """);
    script(
        add,
        "/.singularity.d/actions/start",
        ENVIRONMENT + "exec /.singularity.d/startscript \"$@\"\n");
    script(
        add,
        "/.singularity.d/actions/test",
        ENVIRONMENT
            + """
              if [ -x /.singularity.d/test ]; then
                exec /.singularity.d/test "$@"
              fi
              echo "no test in this image" >&2
              """);
    script(add, "/.singularity.d/env/01-base.sh", "#!/bin/sh\n");
    script(add, "/.singularity.d/env/10-docker2singularity.sh", environmentScript());
    script(add, "/.singularity.d/env/90-environment.sh", "#!/bin/sh\n");
    script(add, "/.singularity.d/env/95-apps.sh", "#!/bin/sh\n");
    script(
        add,
        "/.singularity.d/env/99-base.sh",
        """
        #!/bin/sh
        LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}/.singularity.d/libs"
        export LD_LIBRARY_PATH
        """);
    script(
        add,
        "/.singularity.d/env/99-runtimevars.sh",
        """
        #!/bin/sh
        if [ -n "${SING_USER_DEFINED_PREPEND_PATH:-}" ]; then
          PATH="$SING_USER_DEFINED_PREPEND_PATH:$PATH"
        fi
        if [ -n "${SING_USER_DEFINED_APPEND_PATH:-}" ]; then
          PATH="$PATH:$SING_USER_DEFINED_APPEND_PATH"
        fi
        if [ -n "${SING_USER_DEFINED_PATH:-}" ]; then
          PATH="$SING_USER_DEFINED_PATH"
        fi
        export PATH
        """);
    script(add, "/.singularity.d/runscript", runScript());
    script(add, "/.singularity.d/startscript", "#!/bin/sh\n");
    add.file("/.singularity.d/labels.json", 0644, labelsJson());

    add.link("/singularity", ".singularity.d/runscript");
    add.link("/environment", ".singularity.d/env/90-environment.sh");
    for (String action : List.of("run", "exec", "test", "shell")) {
      add.link("/." + action, ".singularity.d/actions/" + action);
    }
  }

  private static void script(FlatMerger.Additions add, String path, String text) {
    add.file(path, 0755, text.getBytes(StandardCharsets.UTF_8));
  }

  /** Docker's rule: arguments take the place of Cmd, behind Entrypoint. */
  String runScript() {
    StringBuilder script = new StringBuilder("#!/bin/sh\n");
    if (!command.isEmpty()) {
      script.append("if [ \"$#\" -eq 0 ]; then\n  set --").append(quoted(command)).append("\nfi\n");
    } else if (entrypoint.isEmpty()) {
      script.append("if [ \"$#\" -eq 0 ]; then\n  set -- /bin/sh\nfi\n");
    }
    return script.append("exec").append(quoted(entrypoint)).append(" \"$@\"\n").toString();
  }

  /** PATH is the image's; what else the user has set already stays. */
  String environmentScript() {
    StringBuilder script = new StringBuilder("#!/bin/sh\n");
    for (String assignment : environment) {
      int equals = assignment.indexOf('=');
      String name = equals < 0 ? assignment : assignment.substring(0, equals);
      String value = equals < 0 ? "" : assignment.substring(equals + 1);
      if (!VARIABLE.matcher(name).matches()) {
        continue; // no shell can hold it
      }
      if (name.equals("PATH")) {
        script.append("export PATH=").append(quote(value)).append('\n');
      } else {
        script
            .append("if [ -z \"${").append(name).append("+set}\" ]; then\n  export ")
            .append(name).append('=').append(quote(value)).append("\nfi\n");
      }
    }
    return script.toString();
  }

  private byte[] labelsJson() {
    try {
      return JSON.writeValueAsBytes(labels);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a map of texts can always be written", e);
    }
  }

  private static String quoted(List<String> words) {
    StringBuilder text = new StringBuilder();
    words.forEach(word -> text.append(' ').append(quote(word)));
    return text.toString();
  }

  /** Single quotes keep everything as it is; one inside is closed, escaped and opened again. */
  private static String quote(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }
}
