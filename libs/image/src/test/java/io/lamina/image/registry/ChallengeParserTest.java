package io.lamina.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.ImageException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChallengeParserTest {
  @Test
  void readsABearerChallengeWithCommasInItsScope() {
    assertThat(
            parse(
                "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
                    + "scope=\"repository:a/b:pull,push\",error=\"invalid_token\""))
        .containsExactly(
            new Challenge(
                "bearer",
                Map.of(
                    "realm", "https://auth.docker.io/token",
                    "service", "registry.docker.io",
                    "scope", "repository:a/b:pull,push",
                    "error", "invalid_token")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Basic realm=\"x\", Bearer realm=\"https://a/t\",service=\"s\"",
        "Bearer realm=\"https://a/t\",service=\"s\", Basic realm=\"x\"",
        "Bearer service=\"s\" , realm=\"https://a/t\" ,, Basic realm=\"x\",",
        "bearer Service=s, REALM=https://a/t,basic realm=x",
        "Basic realm = \"x\" , Bearer realm\t=\"https://a/t\", service= \"s\"",
        "Negotiate, Bearer realm=\"https://a/t\",service=\"s\", Basic realm=x",
        "Negotiate YWJj==, Bearer realm=\"https://a/t\",service=\"s\", Basic realm=x",
      })
  void readsSeveralChallengesInAnyOrder(String header) {
    assertThat(parse(header))
        .contains(
            new Challenge("basic", Map.of("realm", "x")),
            new Challenge("bearer", Map.of("realm", "https://a/t", "service", "s")));
  }

  @Test
  void readsSeveralHeaderLines() {
    assertThat(ChallengeParser.parse(List.of("Basic realm=x", "Bearer realm=\"y\"")))
        .extracting(Challenge::scheme)
        .containsExactly("basic", "bearer");
  }

  @Test
  void readsEscapesInQuotedValues() {
    assertThat(parse("Basic realm=\"a \\\"b\\\", c\\\\\""))
        .containsExactly(new Challenge("basic", Map.of("realm", "a \"b\", c\\")));
  }

  @Test
  void readsASchemeAlone() {
    assertThat(parse("Basic")).containsExactly(new Challenge("basic", Map.of()));
    assertThat(parse("")).isEmpty();
    assertThat(parse(" , ")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Bearer realm=\"x",
        "Bearer realm=\"x\\",
        "Bearer realm=\"x\",realm=\"y\"",
        "=x",
        "\"x\"",
        "A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q",
      })
  void refusesWhatBreaksTheGrammar(String header) {
    assertThatThrownBy(() -> parse(header))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("WWW-Authenticate");
  }

  @Test
  void endsOnAnyText() {
    Random random = new Random(99);
    String alphabet = "aB=,\" \\\tx/:;";
    int read = 0;
    for (int i = 0; i < 20_000; i++) {
      StringBuilder text = new StringBuilder();
      for (int j = random.nextInt(20); j >= 0; j--) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      try {
        parse(text.toString());
        read++;
      } catch (ImageException.Rejected expected) {
        assertThat(expected).hasMessageContaining("at position");
      }
    }
    assertThat(read).isGreaterThan(100);
  }

  private static List<Challenge> parse(String header) {
    return ChallengeParser.parse(List.of(header));
  }
}
