package io.lamina.journal.site;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.policy.NamePattern;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SiteSelectionTest {
  @ParameterizedTest
  @CsvSource({
    "r.example, r.example/app:1, true",
    "r.example/team/*, r.example/team/app:1, true",
    "r.example/team/*, r.example/team/app@sha256:0123, true",
    "r.example/team/*, r.example/team/deep/app:1, false",
    "r.example/team/**, r.example/team/deep/app:1, true",
    "r.example, other.example/app:1, false",
    "r.example:5000/app, r.example:5000/app:1, true",
    "local, local/app:1, false",
    "r.example/app, r.example/app2:1, false",
    "**, local/Whatever:1, true",
    "r.example/**, r.example/UPPER:1, false"
  })
  void selectsByTheNamesThatPoliciesUse(String pattern, String name, boolean included) {
    SiteSelection selection = new SiteSelection(NamePattern.parse(pattern), Optional.empty(), true);

    assertThat(selection.includes(name)).isEqualTo(included);
    assertThat(SiteSelection.ALL.includes(name)).isTrue();
  }

  @Test
  void refusesASizeThatNothingHas() {
    assertThatThrownBy(() -> new SiteSelection(java.util.List.of(), Optional.of(0L), true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least 1 byte");
  }
}
