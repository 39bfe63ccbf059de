package io.lamina.gateway.repository;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.image.Digest;
import io.lamina.messaging.event.Event.TransactionPublished;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class JournalTest {
  private static final RepositoryName REPOSITORY = new RepositoryName("a.example.org");
  private final List<Long> heard = new ArrayList<>();
  private final Journal journal = new Journal(2, r -> heard.add(r.number()));

  @Test
  void keepsTheLatestRevisionsNewestFirst() {
    for (int i = 1; i <= Journal.REVISIONS + 3; i++) {
      journal.apply(transaction(i));
    }

    assertThat(journal.revisions(REPOSITORY))
        .hasSize(Journal.REVISIONS)
        .extracting(Revision::number)
        .startsWith(23L, 22L)
        .endsWith(4L);
    assertThat(journal.repositories()).containsExactly(REPOSITORY);
    assertThat(journal.revisions(new RepositoryName("b.example.org"))).isEmpty();
  }

  @Test
  void takesATransactionThatIsReadTwiceOnce() {
    journal.apply(transaction(1));
    journal.goLive();
    journal.apply(transaction(2));
    journal.apply(transaction(2));
    journal.apply(transaction(1));

    assertThat(heard).containsExactly(2L);
    assertThat(journal.revisions(REPOSITORY)).hasSize(2);
  }

  @Test
  void forgetsLayersThatAreTakenAway() {
    Digest layer = new Digest("ab".repeat(32));
    RepositoryPath place = RepositoryPath.of("/.layers/ab/" + layer.hex() + "/layerfs");
    journal.apply(transaction(1, Grafts.at(place)));
    assertThat(journal.hasLayer(layer)).isTrue();

    journal.apply(transaction(2, new CatalogChange.Remove(place)));

    assertThat(journal.hasLayer(layer)).isFalse();
  }

  @Test
  void holdsABoundedNumberOfLayers() {
    for (char c : "abc".toCharArray()) {
      String hex = ("" + c).repeat(64);
      journal.apply(
          transaction(
              c,
              Grafts.at(
                  RepositoryPath.of("/.layers/" + hex.substring(0, 2) + "/" + hex + "/layerfs"))));
    }

    assertThat(journal.hasLayer(new Digest("a".repeat(64)))).isFalse();
    assertThat(journal.hasLayer(new Digest("b".repeat(64)))).isTrue();
    assertThat(journal.hasLayer(new Digest("c".repeat(64)))).isTrue();
  }

  private static TransactionPublished transaction(long revision, CatalogChange... changes) {
    return new TransactionPublished(
        REPOSITORY,
        revision,
        1_700_000_000L,
        ContentHash.parse("0".repeat(40)),
        ContentHash.parse("1".repeat(40)),
        4096,
        List.of(changes),
        List.of());
  }
}
