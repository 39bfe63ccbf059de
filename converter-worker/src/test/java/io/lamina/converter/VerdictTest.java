package io.lamina.converter;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.image.ImageException;
import io.lamina.repository.RepositoryException;
import io.lamina.storage.StorageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class VerdictTest {
  static Stream<RuntimeException> hopeless() {
    return Stream.of(
        new ImageException.Rejected("a tar with .. in it"),
        new ImageException.NotFound("no such tag"),
        new StorageException.NotFound("no upload"),
        new CvmfsException.Rejected("a name that is too long"),
        new CvmfsException.NotFound("no catalog"),
        new RepositoryException.Rejected("a definition that is no JSON"),
        new ConverterException.Rejected("unknown repository"));
  }

  @ParameterizedTest
  @MethodSource("hopeless")
  void failsAtOnceWhatTryingAgainCannotChange(RuntimeException failure) {
    Verdict verdict = Verdict.on(failure);

    assertThat(verdict).isInstanceOf(Verdict.Hopeless.class);
    assertThat(verdict.reason()).contains(failure.getMessage());
  }

  static Stream<Throwable> passing() {
    return Stream.of(
        new ImageException.Retryable("503", null, null),
        new StorageException.Retryable("out of reach", null),
        new StorageException.OutcomeUnknown("reply lost", null),
        new StorageException.Conflict("somebody else was first"),
        new StorageException.Rejected("bad credentials"),
        new StorageException.Exhausted("no room", null),
        new CvmfsException.Retryable("disk busy", null),
        new RepositoryException.Retryable("cannot read the definition", null),
        new ConverterException.Retryable("not done within 5 s"),
        new IOException("connection reset"),
        new SocketTimeoutException("read timed out"),
        new UncheckedIOException(new IOException("broken pipe")));
  }

  @ParameterizedTest
  @MethodSource("passing")
  void triesAgainWhatMayPass(Throwable failure) {
    assertThat(Verdict.on(failure)).isInstanceOf(Verdict.Passing.class);
  }

  static Stream<RuntimeException> suspect() {
    return Stream.of(
        new ImageException.Corrupt("digest differs"),
        new StorageException.Corrupt("length differs"),
        new CvmfsException.Corrupt("hash differs"));
  }

  @ParameterizedTest
  @MethodSource("suspect")
  void doubtsBytesThatDifferFromTheirPromise(RuntimeException failure) {
    assertThat(Verdict.on(failure)).isInstanceOf(Verdict.Suspect.class);
  }

  @Test
  void findsTheReasonBelowTheStreamsThatCarriedIt() {
    Exception failure =
        new UncheckedIOException(
            new IOException("read failed", new ImageException.Corrupt("sha256:… differs")));

    assertThat(Verdict.on(failure)).isEqualTo(new Verdict.Suspect("sha256:… differs"));
  }

  @Test
  void keepsThePauseThatTheServerAskedFor() {
    Duration asked = Duration.ofSeconds(30);

    assertThat(Verdict.on(new ImageException.Retryable("429", null, asked)))
        .isEqualTo(new Verdict.Passing("429", Optional.of(asked)));
  }

  @Test
  void takesAnInterruptAsAnOrderToStopWhateverItIsWrappedIn() {
    assertThat(Verdict.on(new ImageException.Retryable("cut", new InterruptedException(), null)))
        .isInstanceOf(Verdict.Stopped.class);
    assertThat(Verdict.on(new IOException(new ClosedByInterruptException())))
        .isInstanceOf(Verdict.Stopped.class);

    Thread.currentThread().interrupt();
    try {
      assertThat(Verdict.on(new IllegalStateException("odd"))).isInstanceOf(Verdict.Stopped.class);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void namesWhatNobodyForesaw() {
    Verdict verdict = Verdict.on(new IllegalStateException("odd\nstate"));

    assertThat(verdict).isInstanceOf(Verdict.Defect.class);
    assertThat(verdict.reason()).contains("IllegalStateException", "odd state", "log");
  }

  @Test
  void boundsTextThatOthersWrote() {
    Verdict verdict = Verdict.on(new ImageException.Rejected("x\u001b[31m" + "y".repeat(5000)));

    assertThat(verdict.reason()).startsWith("x [31m").hasSize(Verdict.MAX_REASON_CHARS + 1);
  }

  @Test
  void survivesAChainOfCausesThatBitesItsTail() {
    IOException first = new IOException("first");
    IOException second = new IOException("second", first);
    first.initCause(second);

    assertThat(Verdict.on(first)).isInstanceOf(Verdict.Passing.class);
  }
}
