package io.lamina.gateway.request;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Event.WorkProgress;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.WorkKey;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Statuses as other processes write them. */
public final class Statuses {
  public static final RepositoryName REPOSITORY = new RepositoryName("unpacked.example.org");
  public static final String LAYER_A = "a".repeat(64);
  public static final String LAYER_B = "b".repeat(64);

  private Statuses() {}

  public static Instant at(int seconds) {
    return Instant.ofEpochSecond(1_700_000_000L + seconds);
  }

  public static RequestStatus conversion(
      String id, RequestStatus.State state, Instant acceptedAt, String... layers) {
    return new RequestStatus(
        new RequestId(id),
        REPOSITORY,
        RequestStatus.Kind.CONVERSION,
        "docker://registry.example.org/app:1",
        state,
        Arrays.stream(layers).map(l -> new WorkKey(WorkKey.Kind.LAYER, l)).toList(),
        Optional.empty(),
        Optional.empty(),
        acceptedAt,
        acceptedAt);
  }

  public static RequestStatus diffCommit(
      String id, String layer, RequestStatus.State state, Instant acceptedAt) {
    return new RequestStatus(
        new RequestId(id),
        REPOSITORY,
        RequestStatus.Kind.DIFF_COMMIT,
        "sha256:" + layer,
        state,
        List.of(),
        Optional.empty(),
        Optional.empty(),
        acceptedAt,
        acceptedAt);
  }

  public static RequestStatus removal(String id, RequestStatus.State state, Instant acceptedAt) {
    return new RequestStatus(
        new RequestId(id),
        REPOSITORY,
        RequestStatus.Kind.REMOVAL,
        "registry.example.org/app:1",
        state,
        List.of(),
        Optional.empty(),
        Optional.empty(),
        acceptedAt,
        acceptedAt);
  }

  public static RequestStatus collection(String id, RequestStatus.State state, Instant acceptedAt) {
    return new RequestStatus(
        new RequestId(id),
        REPOSITORY,
        RequestStatus.Kind.COLLECTION,
        "objects",
        state,
        List.of(),
        Optional.empty(),
        Optional.empty(),
        acceptedAt,
        acceptedAt);
  }

  public static RequestStatus with(
      RequestStatus status, RequestStatus.State state, WorkKey... work) {
    return new RequestStatus(
        status.request(),
        status.repository(),
        status.kind(),
        status.subject(),
        state,
        List.of(work),
        status.detail(),
        status.revision(),
        status.acceptedAt(),
        status.updatedAt().plusSeconds(1));
  }

  public static WorkProgress progress(String layer, long doneBytes, long totalBytes) {
    return new WorkProgress(
        REPOSITORY, new WorkKey(WorkKey.Kind.LAYER, layer), doneBytes, totalBytes, at(0));
  }
}
