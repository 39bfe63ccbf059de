package io.lamina.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What is shipped, what its bill of materials says, and docs/licences.md are the same. */
class LicencesIT {
  private static final Path LIBRARIES = Path.of("target", "lamina", "lib");
  private static final Path BILL = Path.of("target", "lamina", "lamina.cdx.json");
  private static final Path LIST = Path.of("..", "docs", "licences.md");

  /** What an operator of a site can live with: no copyleft that reaches our own code. */
  private static final Set<String> ACCEPTED =
      Set.of(
          "Apache-2.0",
          "BSD-2-Clause",
          "BSD-3-Clause",
          "CC0-1.0",
          "EPL-1.0",
          "EPL-2.0",
          "LGPL-2.1-only",
          "MIT",
          "MIT-0",
          "Bouncy-Castle");

  private static final Map<String, String> NAMES =
      Map.ofEntries(
          Map.entry("Bouncy Castle Licence", "Bouncy-Castle"),
          Map.entry("BSD License 3", "BSD-3-Clause"),
          Map.entry("BSD-3-Clause", "BSD-3-Clause"),
          Map.entry("The BSD License", "BSD-3-Clause"),
          Map.entry("Go License", "BSD-3-Clause"),
          Map.entry("Public Domain", "CC0-1.0"),
          Map.entry("GNU Lesser General Public License", "LGPL-2.1-only"),
          Map.entry("The Apache License, Version 2.0", "Apache-2.0"),
          Map.entry("Apache License, Version 2.0", "Apache-2.0"),
          Map.entry("Apache License 2.0", "Apache-2.0"));

  private record Component(String name, String version, Set<String> licences) {}

  private static List<Component> components;

  @BeforeAll
  static void readTheBill() throws IOException {
    components = new ArrayList<>();
    for (JsonNode json : new ObjectMapper().readTree(BILL.toFile()).path("components")) {
      Set<String> licences = new TreeSet<>();
      for (JsonNode each : json.path("licenses")) {
        String text =
            each.path("license")
                .path("id")
                .asText(each.path("license").path("name").asText(each.path("expression").asText()));
        licences.add(NAMES.getOrDefault(text, text));
      }
      if (!json.path("group").asText().equals("io.lamina")) {
        components.add(
            new Component(
                json.path("group").asText() + ":" + json.path("name").asText(),
                json.path("version").asText(),
                licences));
      }
    }
    // Run with -Dlamina.licences=write after a deliberate change.
    if ("write".equals(System.getProperty("lamina.licences"))) {
      Files.writeString(LIST, list());
    }
  }

  @Test
  void namesEveryLibraryThatIsShippedAndNoOther() throws IOException {
    Set<String> shipped;
    try (Stream<Path> jars = Files.list(LIBRARIES)) {
      shipped =
          jars.map(jar -> jar.getFileName().toString())
              .filter(jar -> !jar.startsWith("lamina-"))
              .collect(Collectors.toCollection(TreeSet::new));
    }

    Set<String> unnamed = new TreeSet<>(shipped);
    Set<String> missing = new TreeSet<>();
    for (Component component : components) {
      String prefix =
          component.name().substring(component.name().indexOf(':') + 1) + "-" + component.version();
      if (!unnamed.removeIf(jar -> jar.startsWith(prefix)) && !isNamed(shipped, prefix)) {
        missing.add(component.toString());
      }
    }
    assertThat(unnamed).as("shipped, and not in the bill of materials").isEmpty();
    assertThat(missing).as("in the bill of materials, and not shipped").isEmpty();
  }

  private static boolean isNamed(Set<String> shipped, String prefix) {
    return shipped.stream().anyMatch(jar -> jar.startsWith(prefix));
  }

  @Test
  void shipsNothingUnderALicenceThatIsNotAccepted() {
    for (Component component : components) {
      assertThat(component.licences())
          .as("licences of " + component.name() + ", of which one has to be accepted")
          .containsAnyElementsOf(ACCEPTED);
    }
  }

  @Test
  void listsEveryLicence() throws IOException {
    assertThat(Files.readString(LIST))
        .as(
            "docs/licences.md; write it anew with -Dlamina.licences=write and read what has changed")
        .isEqualTo(list());
  }

  private static String list() {
    Map<String, String> rows = new TreeMap<>();
    for (Component component : components) {
      rows.put(component.name(), String.join(", ", component.licences()));
    }
    StringBuilder text =
        new StringBuilder(
            "# Licences of what is shipped\n\n"
                + "Every library in the distribution, from its bill of materials (`lamina.cdx.json` beside `lib/`, CycloneDX), which has the\n"
                + "versions and hashes. Where there are several, one may be chosen. Written and checked by `LicencesIT`.\n\n"
                + "| library | licences |\n| --- | --- |\n");
    rows.forEach(
        (name, licences) ->
            text.append("| `").append(name).append("` | ").append(licences).append(" |\n"));
    return text.toString();
  }
}
