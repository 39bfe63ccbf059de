package io.lamina.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.request.Statuses;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Event.RequestStatus.State;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.WorkKey;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class DashboardIT {
  private static final WorkKey LAYER = new WorkKey(WorkKey.Kind.LAYER, Statuses.LAYER_A);

  @TempDir Path folder;

  @Test
  void comesWithAPolicyThatLoadsNothingFromElsewhere() {
    try (TestGateway gateway = new TestGateway.Setup(folder).start()) {
      HttpResponse<String> page = gateway.get("/");

      assertThat(page.headers().firstValue("Content-Security-Policy").orElseThrow())
          .contains("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'")
          .doesNotContain("unsafe", "http:", "https:");
      assertThat(page.body()).doesNotContain("http://", "https://", "<style", "onclick=");
      assertThat(gateway.get("/dashboard.js").body()).doesNotContain("innerHTML", "http://");
    }
  }

  @Test
  void showsRequestsLiveInABrowser() throws Exception {
    Path binary = browser();
    TestGateway.InMemoryDirectory directory = new TestGateway.InMemoryDirectory();
    directory.create(new RepositoryName("empty.example.org"));
    try (TestGateway gateway = new TestGateway.Setup(folder).with(directory).start();
        Chromium page = new Chromium(binary, folder.resolve("profile"))) {
      RequestStatus first = Statuses.conversion("first", State.ACCEPTED, Statuses.at(1));
      gateway.log.say(first);
      gateway.log.say(EventStreamsIT.published(3));
      gateway.log.say(hostile());
      page.open(gateway.process.address());
      Eventually.is(() -> rows(page).contains("accepted"));
      Eventually.is(() -> page.evaluate("document.body.innerText").contains("revision 3"));
      assertThat(page.evaluate("document.querySelector('#connection').textContent"))
          .isEqualTo("live");
      assertThat(page.evaluate("document.querySelector('#repositories').innerText"))
          .contains("empty.example.org", "revision 3");

      gateway.log.say(Statuses.with(first, State.PLANNED, LAYER));
      gateway.log.say(Statuses.progress(Statuses.LAYER_A, 512, 2048));
      Eventually.is(() -> rows(page).contains("512 B of 2.0 KiB"));
      assertThat(page.evaluate("document.querySelector('progress').value")).isEqualTo("512");
      gateway.log.say(Statuses.with(first, State.DONE, LAYER));
      Eventually.is(() -> rows(page).contains("done"));
      gateway.log.say(EventStreamsIT.published(4));
      Eventually.is(() -> page.evaluate("document.body.innerText").contains("revision 4"));

      assertThat(page.evaluate("document.querySelectorAll('tbody tr').length")).isEqualTo("2");
      assertThat(page.evaluate("document.querySelectorAll('tbody img').length")).isEqualTo("0");
      assertThat(page.evaluate("document.querySelector('#login').offsetParent")).isEqualTo("null");
      assertThat(page.complaints()).isEmpty();
      keep(page);
    }
  }

  @Test
  void asksForATokenWhereOneIsNeeded() throws Exception {
    Path binary = browser();
    try (TestGateway gateway =
            new TestGateway.Setup(folder)
                .with("gateway.tokens.file", Tokens.file(folder).toString())
                .start();
        Chromium page = new Chromium(binary, folder.resolve("profile"))) {
      gateway.log.say(Statuses.conversion("first", State.ACCEPTED, Statuses.at(1)));
      page.open(gateway.process.address());
      Eventually.is(() -> page.evaluate("document.body.innerText").contains("asks for a token"));
      assertThat(page.evaluate("document.body.innerText")).doesNotContain("registry.example.org");

      page.evaluate(
          "(document.querySelector('#token').value = '"
              + Tokens.READER
              + "', document.querySelector('#login').requestSubmit())");

      Eventually.is(() -> rows(page).contains("registry.example.org/app:1"));
    }
  }

  private static String rows(Chromium page) {
    return page.evaluate("document.querySelector('tbody').innerText");
  }

  private static RequestStatus hostile() {
    return new RequestStatus(
        new RequestId("hostile"),
        Statuses.REPOSITORY,
        RequestStatus.Kind.CONVERSION,
        "docker://registry.example.org/<img src=x onerror=alert(1)>",
        State.FAILED,
        List.of(),
        Optional.of("<script>alert(1)</script>"),
        Optional.empty(),
        Statuses.at(2),
        Statuses.at(2));
  }

  private static Path browser() {
    Optional<Path> binary = Chromium.installed();
    assumeTrue(
        binary.isPresent(), "no Chromium: install the package 'chromium' to test the dashboard");
    return binary.orElseThrow();
  }

  /** For people, when they ask for it. */
  private static void keep(Chromium page) throws Exception {
    String target = System.getProperty("lamina.screenshots");
    if (target != null) {
      Files.write(Path.of(target, "light.png"), page.screenshot());
      page.preferDark();
      Files.write(Path.of(target, "dark.png"), page.screenshot());
    }
  }
}
