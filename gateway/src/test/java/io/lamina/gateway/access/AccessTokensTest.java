package io.lamina.gateway.access;

import static io.lamina.gateway.access.TokenHashes.sha256;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AccessTokensTest {
  private static final String FILE =
      """
      {"tokens": [
        {"name": "ci", "sha256": "%s", "role": "submitter", "repositories": ["a.example.org"]},
        {"name": "root", "sha256": "%s", "role": "operator", "repositories": ["*"]}]}"""
          .formatted(sha256("ci-secret"), sha256("root-secret"));

  private final AccessTokens tokens = AccessTokens.parse(FILE, "tokens.json");
  private final AccessPolicy policy = new AccessPolicy(Optional.of(tokens));

  @Test
  void knowsATokenByItsHashOnly() {
    assertThat(tokens.callerOf("ci-secret").orElseThrow().name()).isEqualTo("ci");
    assertThat(tokens.callerOf("ci-secret ")).isEmpty();
    assertThat(tokens.callerOf(sha256("ci-secret"))).isEmpty();
  }

  @Test
  void boundsATokenToItsRepositories() {
    Caller ci = tokens.callerOf("ci-secret").orElseThrow();
    Caller root = tokens.callerOf("root-secret").orElseThrow();

    assertThat(ci.mayUse(new RepositoryName("a.example.org"))).isTrue();
    assertThat(ci.mayUse(new RepositoryName("b.example.org"))).isFalse();
    assertThat(root.mayUse(new RepositoryName("b.example.org"))).isTrue();
  }

  @Test
  void letsHigherRolesDoWhatLowerOnesMay() {
    assertThat(policy.admit("Bearer ci-secret", Role.READER).name()).isEqualTo("ci");
    assertThat(policy.admit("bearer ci-secret", Role.SUBMITTER).name()).isEqualTo("ci");
    assertThatThrownBy(() -> policy.admit("Bearer ci-secret", Role.OPERATOR))
        .isInstanceOfSatisfying(
            GatewayException.Refused.class,
            e -> assertThat(e.type()).isEqualTo(ProblemType.FORBIDDEN))
        .hasMessage("token 'ci' has role submitter; this operation needs operator");
  }

  @ParameterizedTest
  @CsvSource({"Bearer wrong", "Basic Y2k6", "Bearer", "Bearer ci-secret2", "''"})
  void refusesWhatIsNoKnownTokenWithoutRepeatingIt(String header) {
    assertThatThrownBy(() -> policy.admit(header, Role.READER))
        .isInstanceOfSatisfying(
            GatewayException.Refused.class,
            e -> assertThat(e.type()).isEqualTo(ProblemType.UNAUTHENTICATED))
        .message()
        .doesNotContain("wrong", "Y2k6", "secret");
  }

  @Test
  void takesEverybodyForTheOperatorWhereThereAreNoTokens() {
    assertThat(new AccessPolicy(Optional.empty()).admit(null, Role.OPERATOR))
        .isEqualTo(Caller.LOCAL);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "[] | must be an object with one array 'tokens'",
        "{\"tokens\": 1} | must be an object with one array 'tokens'",
        "{\"tokens\": [{\"nmae\": \"x\"}]} | unknown key 'nmae'; did you mean 'name'?",
        "{\"tokens\": [{\"name\": \"x\", \"sha256\": \"00\"}]} | 'sha256' must match",
        "{\"tokens\": [{\"name\": \"x\" | is not JSON",
        "{\"tokens\": [], \"tokens\": []} | is not JSON",
      })
  void refusesBadFilesSayingWhatIsWrong(String file, String message) {
    assertThatThrownBy(() -> AccessTokens.parse(file, "tokens.json"))
        .isInstanceOf(GatewayException.Fatal.class)
        .hasMessageContaining("tokens.json")
        .hasMessageContaining(message);
  }

  @Test
  void refusesRolesAndRepositoriesThatAreNone() {
    String entry =
        "{\"tokens\": [{\"name\": \"x\", \"sha256\": \""
            + sha256("x")
            + "\", \"role\": \"%s\", \"repositories\": %s}]}";

    assertThatThrownBy(() -> AccessTokens.parse(entry.formatted("admin", "[\"*\"]"), "f"))
        .hasMessage("f, tokens[0]: role 'admin' is not one of reader, submitter, operator");
    assertThatThrownBy(() -> AccessTokens.parse(entry.formatted("reader", "[]"), "f"))
        .hasMessageContaining("[\"*\"] for all");
    assertThatThrownBy(() -> AccessTokens.parse(entry.formatted("reader", "[\"../x\"]"), "f"))
        .hasMessageContaining("not a repository name");
  }
}
