package io.lamina.node.docker;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Runs where a containerd of its own can be started; says why where not. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("containerd")
@ExtendWith(NeedsContainerd.Condition.class)
public @interface NeedsContainerd {
  /** Looks at what is installed, and at the user. */
  final class Condition implements ExecutionCondition {
    private static final List<Path> FILES =
        List.of(
            Path.of("/usr/bin/containerd"),
            Path.of("/usr/bin/containerd-shim-runc-v2"),
            Path.of("/usr/bin/ctr"),
            Path.of("/usr/sbin/runc"),
            Path.of("/bin/busybox"));

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      List<String> missing = new ArrayList<>();
      if (!"root".equals(System.getProperty("user.name"))) {
        missing.add("the user root");
      }
      FILES.stream().filter(file -> !Files.isExecutable(file)).forEach(f -> missing.add(f + ""));
      return missing.isEmpty()
          ? ConditionEvaluationResult.enabled("a containerd can be started")
          : ConditionEvaluationResult.disabled(
              "a containerd cannot be started here: missing " + String.join(", ", missing));
    }
  }
}
