package io.lamina.node.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SnapshotCallsTest {
  private static final Duration LONG = Duration.ofMinutes(5);
  private final ConcurrentLinkedQueue<String> ended = new ConcurrentLinkedQueue<>();

  private SnapshotCalls calls(int max, Duration deadline) {
    return new SnapshotCalls(
        max, deadline, (call, _, succeeded) -> ended.add(call + " " + succeeded));
  }

  /** What a client got. */
  private static final class Client implements StreamObserver<String> {
    private final List<String> parts = new ArrayList<>();
    private final CompletableFuture<Object> end = new CompletableFuture<>();

    @Override
    public void onNext(String part) {
      parts.add(part);
    }

    @Override
    public void onError(Throwable e) {
      end.complete(((StatusRuntimeException) e).getStatus());
    }

    @Override
    public void onCompleted() {
      end.complete(parts);
    }

    Object end() throws Exception {
      return end.get(2, TimeUnit.MINUTES);
    }

    Status status() throws Exception {
      return (Status) end();
    }
  }

  @Test
  void answersWithOneResultOrWithMany() throws Exception {
    Client one = new Client();
    Client many = new Client();
    try (SnapshotCalls calls = calls(4, LONG)) {
      calls.answer("One", one, () -> "a", () -> {});
      calls.stream("Many", many, () -> List.of("b", "c"));

      assertThat(one.end()).isEqualTo(List.of("a"));
      assertThat(many.end()).isEqualTo(List.of("b", "c"));
    }
    assertThat(ended).containsExactlyInAnyOrder("One true", "Many true");
  }

  @Test
  void answersInTimeForACallThatHangsAndUndoesWhatItDoesLater() throws Exception {
    CountDownLatch hanging = new CountDownLatch(1);
    CountDownLatch undone = new CountDownLatch(1);
    Client client = new Client();
    try (SnapshotCalls calls = calls(4, Duration.ofMillis(50))) {
      calls.answer(
          "Prepare",
          client,
          () -> {
            // As a system call does, which no interrupt ends.
            boolean isOver = false;
            while (!isOver) {
              try {
                hanging.await();
                isOver = true;
              } catch (InterruptedException e) {
                // Hangs on.
              }
            }
            return "late";
          },
          undone::countDown);

      assertThat(client.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(client.status().getDescription()).contains("Prepare took longer");
      assertThat(undone.getCount()).isEqualTo(1);
      hanging.countDown();
      assertThat(undone.await(2, TimeUnit.MINUTES)).isTrue();
    }
    assertThat(client.parts).isEmpty();
    assertThat(ended).containsExactly("Prepare false");
  }

  @Test
  void interruptsACallThatTakesTooLong() throws Exception {
    CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
    Client client = new Client();
    try (SnapshotCalls calls = calls(4, Duration.ofMillis(50))) {
      calls.answer(
          "Mounts",
          client,
          () -> {
            try {
              new CountDownLatch(1).await();
            } catch (InterruptedException e) {
              interrupted.complete(true);
            }
            throw new SnapshotException.Unavailable("interrupted", null);
          },
          () -> {});

      assertThat(client.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(interrupted.get(2, TimeUnit.MINUTES)).isTrue();
    }
  }

  @Test
  void refusesCallsAtTheBound() throws Exception {
    CountDownLatch hold = new CountDownLatch(1);
    Client first = new Client();
    Client second = new Client();
    try (SnapshotCalls calls = calls(1, LONG)) {
      calls.answer(
          "First",
          first,
          () -> {
            hold.await();
            return "done";
          },
          () -> {});
      calls.answer("Second", second, () -> "never", () -> {});

      assertThat(second.status().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      hold.countDown();
      assertThat(first.end()).isEqualTo(List.of("done"));
    }
  }

  @Test
  void tellsUnexpectedFailuresFromExpectedOnes() throws Exception {
    Client client = new Client();
    try (SnapshotCalls calls = calls(1, LONG)) {
      calls.answer(
          "Stat",
          client,
          () -> {
            throw new IllegalStateException("broken");
          },
          () -> {});

      assertThat(client.status().getCode()).isEqualTo(Status.Code.INTERNAL);
      assertThat(client.status().getDescription()).contains("Stat", "broken");
    }
  }
}
