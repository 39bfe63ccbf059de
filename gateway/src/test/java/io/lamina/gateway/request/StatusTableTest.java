package io.lamina.gateway.request;

import static io.lamina.gateway.request.Statuses.LAYER_A;
import static io.lamina.gateway.request.Statuses.LAYER_B;
import static io.lamina.gateway.request.Statuses.at;
import static io.lamina.gateway.request.Statuses.conversion;
import static io.lamina.gateway.request.Statuses.progress;
import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.access.Caller;
import io.lamina.gateway.access.Role;
import io.lamina.gateway.request.RequestPage.Position;
import io.lamina.image.Digest;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Event.RequestStatus.State;
import io.lamina.messaging.event.RequestId;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StatusTableTest {
  private final List<String> heard = new ArrayList<>();
  private final StatusListener listener =
      new StatusListener() {
        @Override
        public void changed(RequestView request) {
          heard.add(request.status().request() + " " + request.status().state());
        }

        @Override
        public void progressed(RequestView request) {
          heard.add(request.status().request() + " " + request.progress().doneBytes());
        }
      };
  private final Clock clock = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);
  private final StatusTable table = new StatusTable(3, clock, listener);

  @Test
  void forgetsTheOldestFinalRequestAtTheBound() {
    table.apply(conversion("a", State.ACCEPTED, at(1)));
    table.apply(conversion("b", State.DONE, at(2)));
    table.apply(conversion("c", State.FAILED, at(3)));

    table.apply(conversion("d", State.ACCEPTED, at(4)));

    assertThat(ids(table)).containsExactly("d", "c", "a");
    assertThat(table.forgotten()).isEqualTo(1);
    assertThat(table.unfinished()).isEqualTo(2);
  }

  @Test
  void forgetsTheOldestRequestWhenNoneIsFinal() {
    for (int i = 0; i < 5; i++) {
      table.apply(conversion("r" + i, State.PLANNED, at(i), LAYER_A));
    }

    assertThat(ids(table)).containsExactly("r4", "r3", "r2");
    assertThat(table.layerState(new Digest(LAYER_A))).isEqualTo(LayerState.PUBLISHING);
  }

  @Test
  void keepsNothingOfWorkThatNoRequestNames() {
    table.apply(progress(LAYER_A, 5, 10));
    table.apply(conversion("a", State.PLANNED, at(1), LAYER_A));

    assertThat(view("a").progress()).isEqualTo(new RequestView.Progress(0, 1, 0, 0));
  }

  @Test
  void showsAFailedRequestAsAcceptedWhenItIsTriedAgain() {
    RequestStatus accepted = conversion("a", State.ACCEPTED, at(1));
    RequestStatus failed = Statuses.with(accepted, State.FAILED);
    table.apply(failed);

    table.apply(accepted);
    assertThat(view("a").status()).as("a late repetition").isEqualTo(failed);
    RequestStatus again = Statuses.with(failed, State.ACCEPTED);
    table.apply(again);
    assertThat(view("a").status()).isEqualTo(again);
    assertThat(table.unfinished()).isEqualTo(1);

    table.apply(Statuses.with(again, State.CANCELLED));
    table.apply(Statuses.with(Statuses.with(again, State.DONE), State.ACCEPTED));
    assertThat(view("a").status().state()).isEqualTo(State.CANCELLED);
  }

  @Test
  void sumsTheProgressOfARequestsWork() {
    table.apply(conversion("a", State.PLANNED, at(1), LAYER_A, LAYER_B));
    table.apply(progress(LAYER_A, 10, 10));
    table.apply(progress(LAYER_B, 3, 20));

    assertThat(view("a").progress()).isEqualTo(new RequestView.Progress(1, 2, 13, 30));
  }

  @Test
  void showsAFinishedRequestAsWhole() {
    table.apply(conversion("a", State.PLANNED, at(1), LAYER_A, LAYER_B));
    table.apply(progress(LAYER_B, 3, 20));
    table.apply(conversion("a", State.DONE, at(1), LAYER_A, LAYER_B));

    assertThat(view("a").progress()).isEqualTo(new RequestView.Progress(2, 2, 20, 20));
  }

  @Test
  void letsTheLastStatusCountButNeverALateAcceptance() {
    table.apply(conversion("a", State.PUBLISHING, at(1)));
    table.apply(conversion("a", State.ACCEPTED, at(1)));
    assertThat(view("a").status().state()).isEqualTo(State.PUBLISHING);

    table.apply(conversion("a", State.FAILED, at(1)));
    table.apply(conversion("a", State.PLANNED, at(1)));
    assertThat(view("a").status().state()).isEqualTo(State.PLANNED);
    assertThat(table.unfinished()).isEqualTo(1);
  }

  @Test
  void agreesWithAnotherTableThatReadTheSame() {
    StatusTable other = new StatusTable(3, clock, StatusListener.NONE);
    List<RequestStatus> topic =
        List.of(
            conversion("b", State.ACCEPTED, at(2)),
            conversion("a", State.ACCEPTED, at(1)),
            conversion("a", State.PLANNED, at(1), LAYER_A),
            conversion("c", State.ACCEPTED, at(2)),
            conversion("a", State.DONE, at(1), LAYER_A),
            conversion("d", State.ACCEPTED, at(4)));

    // What a gateway accepted itself it knows before the topic tells it.
    other.apply(topic.get(3));
    topic.forEach(table::apply);
    topic.forEach(other::apply);

    assertThat(ids(other)).isEqualTo(ids(table)).containsExactly("d", "c", "b");
  }

  @Test
  void pagesNewestFirstWithoutGapsOrRepetitions() {
    StatusTable large = new StatusTable(1000, clock, StatusListener.NONE);
    for (int i = 0; i < 100; i++) {
      large.apply(conversion("r" + i, i % 3 == 0 ? State.DONE : State.PLANNED, at(i / 7)));
    }

    List<String> seen = new ArrayList<>();
    Optional<Position> next = Optional.empty();
    do {
      RequestPage page =
          large.page(
              new RequestFilter(
                  Caller.LOCAL, Optional.empty(), Optional.of(State.DONE), Optional.empty()),
              next,
              9);
      assertThat(page.items()).hasSizeBetween(1, 9);
      page.items().forEach(r -> seen.add(r.status().request().value()));
      next = page.next().flatMap(p -> Position.parse(p.cursor()));
    } while (next.isPresent());

    assertThat(seen).hasSize(34).doesNotHaveDuplicates();
  }

  @Test
  void endsAPageAfterABoundedSearchAndGoesOnFromThere() {
    int count = StatusTable.MAX_SEEN + 5;
    StatusTable large = new StatusTable(count, clock, StatusListener.NONE);
    large.apply(conversion("oldest", State.FAILED, at(0)));
    for (int i = 1; i < count; i++) {
      large.apply(conversion("r" + i, State.DONE, at(i)));
    }
    RequestFilter failed =
        new RequestFilter(
            Caller.LOCAL, Optional.empty(), Optional.of(State.FAILED), Optional.empty());

    RequestPage first = large.page(failed, Optional.empty(), 10);
    RequestPage second = large.page(failed, first.next(), 10);

    assertThat(first.items()).isEmpty();
    assertThat(first.next()).isPresent();
    assertThat(second.items()).hasSize(1);
    assertThat(second.next()).isEmpty();
  }

  @Test
  void hidesRepositoriesThatTheCallerMayNotSee() {
    table.apply(conversion("a", State.DONE, at(1)));
    Caller stranger =
        new Caller(
            "x", Role.OPERATOR, Optional.of(Set.of(new RepositoryName("other.example.org"))));

    RequestFilter filter =
        new RequestFilter(stranger, Optional.empty(), Optional.empty(), Optional.empty());

    assertThat(table.page(filter, Optional.empty(), 10).items()).isEmpty();
  }

  @Test
  void tellsALayersStateFromTheRequestsThatNeedIt() {
    Digest layer = new Digest(LAYER_A);
    assertThat(table.layerState(layer)).isEqualTo(LayerState.UNKNOWN);

    table.apply(conversion("a", State.PLANNED, at(1), LAYER_A));
    assertThat(table.layerState(layer)).isEqualTo(LayerState.PUBLISHING);

    table.apply(conversion("a", State.FAILED, at(1), LAYER_A));
    assertThat(table.layerState(layer)).isEqualTo(LayerState.UNKNOWN);

    table.apply(Statuses.diffCommit("b", LAYER_A, State.ACCEPTED, at(2)));
    assertThat(table.layerState(layer)).isEqualTo(LayerState.PUBLISHING);

    table.apply(Statuses.diffCommit("b", LAYER_A, State.DONE, at(2)));
    assertThat(table.layerState(layer)).isEqualTo(LayerState.DONE);
  }

  @Test
  void tellsNewsOnlyFromTheTimeItIsLive() {
    table.apply(conversion("a", State.ACCEPTED, at(1)));
    table.goLive();
    table.apply(conversion("a", State.ACCEPTED, at(1)));
    table.apply(conversion("a", State.PLANNED, at(1), LAYER_A));
    table.apply(progress(LAYER_A, 4, 10));
    table.apply(progress(LAYER_A, 5, 10));
    table.apply(progress(LAYER_A, 10, 10));
    table.apply(progress(LAYER_A, 10, 10));
    table.apply(conversion("a", State.DONE, at(1), LAYER_A));
    table.apply(conversion("a", State.DONE, at(1), LAYER_A));
    table.apply(progress(LAYER_A, 10, 10));

    assertThat(heard)
        .as("of progress not more than one in a while, but always the last")
        .containsExactly("a PLANNED", "a 4", "a 10", "a DONE");
  }

  private RequestView view(String id) {
    return table.find(new RequestId(id)).orElseThrow();
  }

  private static List<String> ids(StatusTable table) {
    return table
        .page(
            new RequestFilter(Caller.LOCAL, Optional.empty(), Optional.empty(), Optional.empty()),
            Optional.empty(),
            100)
        .items()
        .stream()
        .map(r -> r.status().request().value())
        .toList();
  }
}
