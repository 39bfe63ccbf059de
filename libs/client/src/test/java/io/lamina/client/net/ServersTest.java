package io.lamina.client.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.client.TestServer;
import io.lamina.client.TestServer.Mood;
import io.lamina.client.failure.ClientException;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import io.lamina.cvmfs.reader.VerifiedObjects;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ServersTest {
  private static final byte[] CONTENT = new byte[3000];
  private static final CompressedObject OBJECT =
      CompressedObject.ofStored(CONTENT, HashAlgorithm.SHA1);
  private static final String PATH = ObjectKind.FILE.pathOf(OBJECT.hash());

  /** So long that no server that works is given up on a busy machine. */
  private static final NetworkSettings PATIENT =
      NetworkSettings.DEFAULT
          .withTimeout(Duration.ofSeconds(30))
          .withBackoff(Duration.ofMillis(1), Duration.ofSeconds(60));

  private final TestServer first = new TestServer(Map.of(PATH, CONTENT));
  private final TestServer second = new TestServer(Map.of(PATH, CONTENT));
  private final List<Duration> waits = new ArrayList<>();

  @TempDir Path folder;

  @AfterEach
  void stop() {
    first.close();
    second.close();
  }

  @Test
  void asksTheFirstServerWhileItWorks() {
    try (Servers servers = servers(PATIENT, first.url(), second.url())) {
      assertThat(fetch(servers)).isEqualTo(CONTENT);
      assertThat(fetch(servers)).isEqualTo(CONTENT);
    }
    assertThat(first.total()).isEqualTo(2);
    assertThat(second.total()).isZero();
  }

  @ParameterizedTest
  @EnumSource(
      value = Mood.class,
      names = {"FAILS", "LACKS", "STALLS", "CUTS", "TAMPERS"})
  void goesOnToTheNextServerWhenOneMisbehaves(Mood mood) {
    first.is(mood);
    NetworkSettings settings =
        mood == Mood.STALLS ? PATIENT.withTimeout(Duration.ofSeconds(3)) : PATIENT;
    try (Servers servers = servers(settings, first.url(), second.url())) {
      assertThat(fetch(servers)).isEqualTo(CONTENT);
    }
    assertThat(second.total()).isEqualTo(1);
    assertThat(waits).isEmpty();
  }

  @Test
  void givesUpAServerThatOnlyDrips() {
    first.is(Mood.DRIPS);
    NetworkSettings settings =
        new NetworkSettings(
            Proxies.DIRECT,
            Duration.ofSeconds(3),
            Duration.ofSeconds(3),
            1024,
            0,
            Duration.ofMillis(1),
            Duration.ofSeconds(60));
    try (Servers servers = servers(settings, first.url(), second.url())) {
      assertThat(fetch(servers)).isEqualTo(CONTENT);
    }
    assertThat(second.total()).isEqualTo(1);
  }

  @Test
  void asksPastCachesOnceMoreWhenAnAnswerIsDamaged() {
    first.is(Mood.TAMPERS_WHEN_CACHED);
    try (Servers servers = servers(PATIENT, first.url())) {
      assertThat(fetch(servers)).isEqualTo(CONTENT);
    }
    assertThat(first.total()).isEqualTo(2);
  }

  @Test
  void leavesAServerAloneThatFailed() {
    first.goAway();
    try (Servers servers =
        servers(
            PATIENT.withBackoff(Duration.ofSeconds(30), Duration.ofSeconds(60)),
            first.url(),
            second.url())) {
      fetch(servers);
      first.comeBack();
      fetch(servers);
    }
    assertThat(first.total()).isZero();
    assertThat(second.total()).isEqualTo(2);
  }

  @Test
  void triesAgainAfterAWaitAndThenFailsFastUntilTheNextAttemptIsDue() {
    first.is(Mood.FAILS);
    try (Servers servers =
        servers(PATIENT.withBackoff(Duration.ofSeconds(20), Duration.ofSeconds(60)), first.url())) {
      assertThatThrownBy(() -> fetch(servers))
          .isInstanceOf(CvmfsException.Retryable.class)
          .hasMessageContaining("503");
      assertThat(first.total()).isEqualTo(2);
      assertThat(waits).hasSize(1);
      assertThat(servers.isOffline()).isTrue();

      assertThatThrownBy(() -> fetch(servers))
          .isInstanceOf(CvmfsException.Retryable.class)
          .hasMessageContaining("the next attempt is due in");
      assertThat(first.total()).isEqualTo(2);
    }
  }

  @Test
  void isBackAsSoonAsAServerIs() {
    first.goAway();
    try (Servers servers =
        servers(PATIENT.withBackoff(Duration.ZERO, Duration.ZERO), first.url())) {
      assertThatThrownBy(() -> fetch(servers)).isInstanceOf(CvmfsException.Retryable.class);

      first.comeBack();

      assertThat(fetch(servers)).isEqualTo(CONTENT);
      assertThat(servers.isOffline()).isFalse();
    }
  }

  @Test
  void tellsDamageFromAbsence() {
    first.is(Mood.TAMPERS);
    second.is(Mood.LACKS);
    try (Servers servers = servers(PATIENT, first.url(), second.url())) {
      assertThatThrownBy(() -> fetch(servers))
          .isInstanceOf(CvmfsException.Corrupt.class)
          .hasMessageContaining(first.url());
    }
    try (Servers servers = servers(PATIENT, second.url())) {
      assertThatThrownBy(() -> fetch(servers)).isInstanceOf(CvmfsException.NotFound.class);
    }
    assertThat(waits).isEmpty();
  }

  @Test
  void goesThroughProxiesAndAroundThoseThatAreDown() {
    TestServer proxy = new TestServer(Map.of(PATH, CONTENT));
    try (proxy;
        Servers servers =
            servers(
                PATIENT.withProxies(
                    Proxies.parse("http://127.0.0.1:1;http://127.0.0.1:" + proxy.port())),
                "http://repository.invalid/")) {
      assertThat(fetch(servers)).isEqualTo(CONTENT);
    }
    assertThat(proxy.total()).isEqualTo(1);
  }

  @Test
  void replacesTheNameInAddresses() {
    TestServer named = new TestServer(Map.of("cvmfs/a.example.org/a/" + PATH, CONTENT));
    try (named;
        Servers servers = servers(PATIENT, named.url() + "/cvmfs/@fqrn@/@org@")) {
      assertThat(fetch(servers)).isEqualTo(CONTENT);
    }
  }

  @Test
  void refusesNoServersAndOddOnes() {
    assertThatThrownBy(() -> servers(PATIENT))
        .isInstanceOf(ClientException.Rejected.class)
        .hasMessageContaining("1 to 50 servers");
    assertThatThrownBy(() -> servers(PATIENT, "ftp://host/x"))
        .isInstanceOf(CvmfsException.Rejected.class);
    assertThatThrownBy(() -> servers(PATIENT, "http://a b/"))
        .isInstanceOf(ClientException.Rejected.class);
  }

  private Servers servers(NetworkSettings settings, String... addresses) {
    return Servers.of(
        new RepositoryName("a.example.org"),
        Arrays.asList(addresses),
        settings,
        waits::add,
        new Random(1));
  }

  private byte[] fetch(Servers servers) {
    ContentHash hash = OBJECT.hash();
    return servers.attempt(
        files -> {
          ByteArrayOutputStream out = new ByteArrayOutputStream();
          try {
            new VerifiedObjects(files, folder)
                .copyTo(hash, ObjectKind.FILE, CompressionAlgorithm.NONE, CONTENT.length, out);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          return out.toByteArray();
        });
  }
}
