package io.lamina.converter.flat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What Apptainer and Singularity look for in a directory that they run as an image: scripts that
 * prepare the environment and start the image's command, and directories to mount on.
 *
 * <p>Source: docs/conversion.md, "Files for runtimes".
 */
final class RuntimeFiles {
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int EXECUTABLE = 0755;
  private static final int READABLE = 0644;
  private static final int DIRECTORY = 0755;
  private static final int SHARED_DIRECTORY = 01777;

  /** Something that the tree gets where nothing has its path yet. */
  sealed interface Wanted {
    String path();
  }

  record Directory(String path, int permissions) implements Wanted {}

  record File(String path, int permissions, byte[] content) implements Wanted {}

  record Link(String path, String target) implements Wanted {}

  private RuntimeFiles() {}

  /** All of them, each directory before what it holds. */
  static List<Wanted> of(RunSettings settings) {
    return List.of(
        new Directory("dev", DIRECTORY),
        new Directory("etc", DIRECTORY),
        new Directory("home", DIRECTORY),
        new Directory("proc", DIRECTORY),
        new Directory("root", DIRECTORY),
        new Directory("sys", DIRECTORY),
        new Directory("tmp", SHARED_DIRECTORY),
        new Directory("var", DIRECTORY),
        new Directory("var/tmp", SHARED_DIRECTORY),
        new File("etc/hosts", READABLE, new byte[0]),
        new File("etc/resolv.conf", READABLE, new byte[0]),
        new Directory(".singularity.d", DIRECTORY),
        new Directory(".singularity.d/actions", DIRECTORY),
        new Directory(".singularity.d/env", DIRECTORY),
        new Directory(".singularity.d/libs", DIRECTORY),
        script(".singularity.d/actions/exec", WITH_ENVIRONMENT + "exec \"$@\"\n"),
        script(".singularity.d/actions/run", action("runscript")),
        script(".singularity.d/actions/shell", WITH_ENVIRONMENT + SHELL),
        script(".singularity.d/actions/start", action("startscript")),
        script(".singularity.d/actions/test", action("test")),
        script(".singularity.d/env/01-base.sh", "# Nothing to prepare.\n"),
        script(".singularity.d/env/10-docker2singularity.sh", environment(settings)),
        script(".singularity.d/env/90-environment.sh", "# Nothing of the image's own.\n"),
        script(".singularity.d/env/95-apps.sh", APPS),
        script(".singularity.d/env/99-base.sh", LIBRARIES),
        script(".singularity.d/env/99-runtimevars.sh", USER_PATH),
        new File(".singularity.d/labels.json", READABLE, labels(settings)),
        script(".singularity.d/runscript", runscript(settings)),
        script(".singularity.d/startscript", ""),
        new Link(".exec", ".singularity.d/actions/exec"),
        new Link(".run", ".singularity.d/actions/run"),
        new Link(".shell", ".singularity.d/actions/shell"),
        new Link(".test", ".singularity.d/actions/test"),
        new Link("environment", ".singularity.d/env/90-environment.sh"),
        new Link("singularity", ".singularity.d/runscript"));
  }

  private static File script(String path, String body) {
    byte[] content = ("#!/bin/sh\n" + body).getBytes(StandardCharsets.UTF_8);
    return new File(path, EXECUTABLE, content);
  }

  private static final String WITH_ENVIRONMENT =
      """
      for part in /.singularity.d/env/*.sh; do
        if [ -f "$part" ]; then
          . "$part"
        fi
      done
      """;

  private static final String SHELL =
      """
      for candidate in "${APPTAINER_SHELL:-}" "${SINGULARITY_SHELL:-}" /bin/bash /bin/sh; do
        if [ -n "$candidate" ] && [ -x "$candidate" ]; then
          exec "$candidate" "$@"
        fi
      done
      echo "this image has no shell" >&2
      exit 127
      """;

  private static final String APPS =
      """
      if [ -n "${SINGULARITY_APPNAME:-}" ]; then
        app="/scif/apps/$SINGULARITY_APPNAME"
        if [ -d "$app" ]; then
          SCIF_APPNAME="$SINGULARITY_APPNAME"
          SCIF_APPROOT="$app"
          export SCIF_APPNAME SCIF_APPROOT
          PATH="$app/bin:$PATH"
          export PATH
          LD_LIBRARY_PATH="$app/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
          export LD_LIBRARY_PATH
          if [ -f "$app/scif/env/90-environment.sh" ]; then
            . "$app/scif/env/90-environment.sh"
          fi
        else
          echo "this image has no app $SINGULARITY_APPNAME" >&2
          exit 1
        fi
      fi
      """;

  private static final String LIBRARIES =
      """
      LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}/.singularity.d/libs"
      PS1="Singularity> "
      export LD_LIBRARY_PATH PS1
      """;

  private static final String USER_PATH =
      """
      if [ -n "${SING_USER_DEFINED_PATH:-}" ]; then
        PATH="$SING_USER_DEFINED_PATH"
      fi
      if [ -n "${SING_USER_DEFINED_PREPEND_PATH:-}" ]; then
        PATH="$SING_USER_DEFINED_PREPEND_PATH:$PATH"
      fi
      if [ -n "${SING_USER_DEFINED_APPEND_PATH:-}" ]; then
        PATH="$PATH:$SING_USER_DEFINED_APPEND_PATH"
      fi
      unset SING_USER_DEFINED_PATH SING_USER_DEFINED_PREPEND_PATH SING_USER_DEFINED_APPEND_PATH
      export PATH
      """;

  private static String action(String name) {
    return WITH_ENVIRONMENT
        + """
          if [ -n "${SINGULARITY_APPNAME:-}" ]; then
            script="/scif/apps/$SINGULARITY_APPNAME/scif/NAME"
          else
            script="/.singularity.d/NAME"
          fi
          if [ -x "$script" ]; then
            exec "$script" "$@"
          fi
          echo "this image has no $script" >&2
          exit 1
          """
            .replace("NAME", name);
  }

  /** Arguments take the place of the image's command, and follow its entry point. */
  private static String runscript(RunSettings settings) {
    StringBuilder script = new StringBuilder();
    if (!settings.command().isEmpty()) {
      script
          .append("if [ $# -eq 0 ]; then\n  set -- ")
          .append(quoted(settings.command()))
          .append("\nfi\n");
    } else if (settings.entrypoint().isEmpty()) {
      script.append("if [ $# -eq 0 ]; then\n  set -- /bin/sh\nfi\n");
    }
    if (!settings.entrypoint().isEmpty()) {
      script.append("set -- ").append(quoted(settings.entrypoint())).append(" \"$@\"\n");
    }
    return script.append("exec \"$@\"\n").toString();
  }

  /** The image's path is set, other variables only where the user has not set them. */
  private static String environment(RunSettings settings) {
    StringBuilder script = new StringBuilder();
    for (String assignment : settings.environment()) {
      int equals = assignment.indexOf('=');
      String name = equals < 0 ? assignment : assignment.substring(0, equals);
      String value = equals < 0 ? "" : assignment.substring(equals + 1);
      if (!VARIABLE.matcher(name).matches()) {
        // A shell has no way to set it.
        continue;
      }
      if (name.equals("PATH")) {
        script.append("export PATH=").append(quoted(value)).append('\n');
      } else {
        script
            .append("if [ -z \"${")
            .append(name)
            .append(":-}\" ]; then\n  export ")
            .append(name)
            .append('=')
            .append(quoted(value))
            .append("\nfi\n");
      }
    }
    return script.toString();
  }

  private static String quoted(List<String> words) {
    return words.stream().map(RuntimeFiles::quoted).collect(Collectors.joining(" "));
  }

  /** One word of a shell, whatever is in it. */
  static String quoted(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }

  private static byte[] labels(RunSettings settings) {
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter().withObjectIndenter(new DefaultIndenter("  ", "\n"));
    try {
      String json = JSON.writer(printer).writeValueAsString(settings.labels());
      return (json + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a map of texts is always JSON", e);
    }
  }
}
