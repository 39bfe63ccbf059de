package io.lamina.cvmfs.reader;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LinkTargetTest {
  private static final Map<String, String> ENVIRONMENT =
      Map.of("HOME", "/root", "EMPTY", "", "ARCH", "arm64");

  @ParameterizedTest
  @CsvSource({
    "plain/target, plain/target",
    "$(HOME)/x, /root/x",
    "a$(ARCH)b$(HOME), aarm64b/root",
    "$(ARCH:-amd64)/x, arm64/x",
    "$(UNSET:-amd64)/x, amd64/x",
    "$(UNSET)/x, /x",
    "$(EMPTY:-default)/x, /x",
    "$(UNSET:-)/x, /x",
    "$(UNSET:-a:-b)/x, a:-b/x",
    "$(A:B:-c), c",
    "$$, $$",
    "$x/y, $x/y",
    "a$, a$",
    "$(, $(",
    "$(HOME, $(HOME",
    "$()x, x",
    "$(:-d), d",
    "$(UNSET:), ''"
  })
  void replacesVariablesAsTheOriginalClientDoes(String raw, String expanded) {
    byte[] result = LinkTarget.expand(raw.getBytes(StandardCharsets.UTF_8), ENVIRONMENT);

    assertThat(new String(result, StandardCharsets.UTF_8)).isEqualTo(expanded);
  }
}
