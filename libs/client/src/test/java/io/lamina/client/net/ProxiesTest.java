package io.lamina.client.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.client.failure.ClientException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProxiesTest {
  @Test
  void readsGroupsOfProxies() {
    Proxies proxies = Proxies.parse("http://a:3128|b;http://c:80/;DIRECT");

    assertThat(proxies).hasToString("http://a:3128|http://b:3128;http://c:80;DIRECT");
    assertThat(proxies.groups()).extracting(group -> group.size()).containsExactly(2, 1, 1);
    assertThat(proxies.groups().getLast().getFirst().proxy()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ";", "a;;b", "https://a:1", "a:0", "a:99999", "http://u:p@a", "a b"})
  void refusesAnythingElse(String text) {
    assertThatThrownBy(() -> Proxies.parse(text))
        .isInstanceOf(ClientException.Rejected.class)
        .hasMessageContaining("not a proxy");
  }
}
