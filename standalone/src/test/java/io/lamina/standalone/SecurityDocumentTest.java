package io.lamina.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The tests that docs/security.md calls upon are there. */
class SecurityDocumentTest {
  private static final Path HOME = Path.of("..");
  private static final Pattern NAMED = Pattern.compile("`([A-Z]\\w*(?:Test|IT))(?:\\.(\\w+))?`");

  @Test
  void namesOnlyTestsThatExist() throws IOException {
    Map<String, String> sources = sources();
    Matcher named = NAMED.matcher(Files.readString(HOME.resolve("docs/security.md")));
    Set<String> missing = new TreeSet<>();
    int count = 0;
    while (named.find()) {
      count++;
      String source = sources.get(named.group(1));
      boolean isThere =
          source != null
              && (named.group(2) == null
                  || Pattern.compile("\\b(?:void|ArchRule) " + named.group(2) + "\\b")
                      .matcher(source)
                      .find());
      if (!isThere) {
        missing.add(named.group());
      }
    }

    assertThat(missing).isEmpty();
    assertThat(count).isGreaterThan(60);
  }

  /** Of all modules' tests, by class. */
  private static Map<String, String> sources() throws IOException {
    Map<String, String> sources = new HashMap<>();
    for (String folder :
        new String[] {
          "libs", "gateway", "converter-worker", "publisher-worker", "plugin-node", "standalone"
        }) {
      try (Stream<Path> files = Files.walk(HOME.resolve(folder))) {
        for (Path file :
            files
                .filter(f -> f.toString().matches(".*/src/test/java/.*(?:Test|IT)\\.java"))
                .toList()) {
          sources.put(file.getFileName().toString().replace(".java", ""), Files.readString(file));
        }
      }
    }
    return sources;
  }
}
