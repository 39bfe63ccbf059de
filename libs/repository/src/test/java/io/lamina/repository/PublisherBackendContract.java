package io.lamina.repository;

import static io.lamina.repository.TestRepository.RECORDER;
import static io.lamina.repository.TestRepository.TIME;
import static io.lamina.repository.TestRepository.file;
import static io.lamina.repository.TestRepository.flat;
import static io.lamina.repository.TestRepository.layer;
import static io.lamina.repository.TestRepository.link;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.storage.ObjectStore;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a publisher expects of whoever writes its transactions. */
abstract class PublisherBackendContract {
  /** Opens a backend of this test's repository, which is empty at first; the test closes it. */
  protected abstract PublisherBackend open();

  /** Where objects and finished catalogs are put before they are published. */
  protected abstract ObjectStore staging();

  /** Where clients read the repository. */
  protected abstract ObjectStore published();

  /** The next transaction fails before its commit point, for a passing reason. */
  protected abstract void failNextTransaction();

  /** Somebody else stands in the way of transactions, for longer than a backend tries. */
  protected abstract void letOthersStandInTheWay();

  /** Until now. */
  protected abstract void letOthersGoAway();

  /** The next transaction becomes visible, and then its writer is gone. */
  protected abstract void dieAfterNextCommit();

  private Map<String, String> shown() {
    return PublishedTree.of(published());
  }

  private long revisionShown() {
    return PublishedTree.manifest(published()).revision();
  }

  @Test
  void showsGraftsFilesAndLinksAfterOneTransaction() {
    CatalogChange.Attach layer = layer(staging(), "x");
    CatalogChange.Attach flat = flat(staging(), "image");
    long before = revisionShown();
    try (PublisherBackend backend = open()) {
      Manifest base = backend.head();
      Committed committed =
          backend.commit(
              List.of(
                  layer,
                  flat,
                  file(staging(), "/.metadata/r.example/a:1/manifest.json", "{}"),
                  link("/r.example/a:1", "../.flat")),
              TIME,
              RECORDER);

      assertThat(committed.isPublished()).isTrue();
      assertThat(committed.revision()).isEqualTo(base.revision() + 1);
      assertThat(committed.timestampSeconds()).isEqualTo(TIME);
      assertThat(committed.previousRoot()).isEqualTo(base.rootCatalog());
      assertThat(backend.head().revision()).isEqualTo(committed.revision());
      assertThat(backend.head().rootCatalog()).isEqualTo(committed.root());
    }

    assertThat(revisionShown()).isEqualTo(before + 1);
    assertThat(shown())
        .containsEntry("/r.example/a:1", "link ../.flat")
        .containsEntry("/r.example", "dir 755 0:0")
        .containsEntry(layer.path().toString(), "dir 755 0:0")
        .containsEntry(layer.path() + "/etc/hostname", "file 644 0:0 xhostname")
        .containsEntry(flat.path() + "/etc/motd", "file 644 0:0 imagemotd")
        .containsEntry("/.metadata/r.example/a:1/manifest.json", "file 644 0:0 {}");
  }

  @Test
  void publishesNothingWhenEverythingIsTrueAlready() {
    List<CatalogChange> changes =
        List.of(
            layer(staging(), "x"),
            file(staging(), "/.metadata/r.example/a:1/manifest.json", "{}"),
            link("/r.example/a:1", "../.flat"),
            new CatalogChange.Remove(RepositoryPath.of("/nowhere/at/all")));
    try (PublisherBackend backend = open()) {
      Committed first = backend.commit(changes, TIME, RECORDER);
      long shown = revisionShown();
      Committed second = backend.commit(changes, TIME + 50, RECORDER);

      assertThat(second.isPublished()).isFalse();
      assertThat(second.revision()).isEqualTo(first.revision());
      assertThat(second.root()).isEqualTo(first.root()).isEqualTo(second.previousRoot());
      assertThat(revisionShown()).isEqualTo(shown);
    }
  }

  @Test
  void dropsTheChangesThatAreTrueAlready() {
    CatalogChange.Attach x = layer(staging(), "x");
    CatalogChange.Attach y = layer(staging(), "y");
    try (PublisherBackend backend = open()) {
      backend.commit(List.of(x), TIME, RECORDER);
      Committed second = backend.commit(List.of(x, y), TIME, RECORDER);

      assertThat(second.effective()).contains(y).doesNotContain(x);
    }
    assertThat(shown()).containsKeys(x.path() + "/etc/motd", y.path() + "/etc/motd");
  }

  @Test
  void neverGoesBackInTime() {
    try (PublisherBackend backend = open()) {
      backend.commit(List.of(layer(staging(), "x")), TIME, RECORDER);
      Committed second = backend.commit(List.of(layer(staging(), "y")), TIME - 50, RECORDER);

      assertThat(second.timestampSeconds()).isEqualTo(TIME);
    }
  }

  @Test
  void removesTreesWithTheirCatalogsAndPutsOthersInTheirPlace() {
    CatalogChange.Attach x = layer(staging(), "x");
    CatalogChange.Attach other = layer(staging(), "other");
    try (PublisherBackend backend = open()) {
      backend.commit(List.of(x, layer(staging(), "y")), TIME, RECORDER);
      backend.commit(
          List.of(new CatalogChange.Remove(RepositoryPath.of("/.layers")), other), TIME, RECORDER);
    }

    assertThat(shown())
        .containsEntry(other.path() + "/etc/motd", "file 644 0:0 othermotd")
        .doesNotContainKey(x.path().toString());
  }

  @Test
  void replacesATreeByAnotherAtTheSamePlace() {
    CatalogChange.Attach first = layer(staging(), "x", "before");
    CatalogChange.Attach second = layer(staging(), "x", "after");
    try (PublisherBackend backend = open()) {
      backend.commit(List.of(first), TIME, RECORDER);
      Committed committed = backend.commit(List.of(second), TIME + 1, RECORDER);

      assertThat(committed.effective()).containsExactly(second);
      assertThat(backend.view().graftAt(second.path())).contains(second.graft());
    }
    assertThat(shown()).containsEntry(second.path() + "/etc/motd", "file 644 0:0 aftermotd");
  }

  @Test
  void movesLinksAndReplacesFiles() {
    String manifest = "/.metadata/r.example/a:1/manifest.json";
    try (PublisherBackend backend = open()) {
      backend.commit(
          List.of(link("/r.example/a:1", "one"), file(staging(), manifest, "1")), TIME, RECORDER);
      backend.commit(
          List.of(link("/r.example/a:1", "two"), file(staging(), manifest, "2")), TIME, RECORDER);
    }

    assertThat(shown())
        .containsEntry("/r.example/a:1", "link two")
        .containsEntry(manifest, "file 644 0:0 2");
  }

  @Test
  void removesWhatAnImageHas() {
    try (PublisherBackend backend = open()) {
      backend.commit(
          List.of(
              link("/r.example/a:1", "one"),
              link("/r.example/a:2", "two"),
              file(staging(), "/.metadata/r.example/a:1/manifest.json", "{}")),
          TIME,
          RECORDER);
      backend.commit(
          List.of(
              new CatalogChange.Remove(RepositoryPath.of("/r.example/a:1")),
              new CatalogChange.Remove(RepositoryPath.of("/.metadata/r.example/a:1"))),
          TIME,
          RECORDER);
    }

    assertThat(shown())
        .containsEntry("/r.example/a:2", "link two")
        .doesNotContainKeys(
            "/r.example/a:1", "/.metadata/r.example/a:1", "/.metadata/r.example/a:1/manifest.json");
  }

  @Test
  void changesWhatTheSameTransactionMade() {
    try (PublisherBackend backend = open()) {
      backend.commit(
          List.of(
              layer(staging(), "x"),
              link("/r.example/a:1", "one"),
              link("/r.example/a:1", "two"),
              new CatalogChange.Remove(RepositoryPath.of("/.layers")),
              new CatalogChange.Split(RepositoryPath.of("/r.example/deep/er")),
              link("/r.example/deep/er/link", "three"),
              new CatalogChange.Remove(RepositoryPath.of("/r.example/deep"))),
          TIME,
          RECORDER);
    }

    assertThat(shown())
        .containsEntry("/r.example/a:1", "link two")
        .doesNotContainKeys("/.layers", "/r.example/deep");
  }

  @Test
  void putsADirectoryWhereALinkWasAndALinkWhereADirectoryWas() {
    try (PublisherBackend backend = open()) {
      backend.commit(
          List.of(link("/r.example/a", "t"), link("/r.example/b/c", "t")), TIME, RECORDER);
      backend.commit(
          List.of(
              new CatalogChange.Remove(RepositoryPath.of("/r.example/a")),
              link("/r.example/a/c", "t"),
              new CatalogChange.Remove(RepositoryPath.of("/r.example/b")),
              link("/r.example/b", "t")),
          TIME,
          RECORDER);
    }

    assertThat(shown())
        .containsEntry("/r.example/a/c", "link t")
        .containsEntry("/r.example/b", "link t")
        .doesNotContainKey("/r.example/b/c");
  }

  @Test
  void refusesAChangeBelowALinkAndMakesTheNextOne() {
    try (PublisherBackend backend = open()) {
      Committed first = backend.commit(List.of(link("/r.example/a", "x")), TIME, RECORDER);
      Map<String, String> before = shown();

      assertThatThrownBy(
              () ->
                  backend.commit(
                      List.of(link("/r.example/b", "x"), link("/r.example/a/b", "x")),
                      TIME,
                      RECORDER))
          .isInstanceOf(RepositoryException.Rejected.class)
          .hasMessageContaining("/r.example/a");
      assertThat(backend.head().revision()).isEqualTo(first.revision());
      assertThat(shown()).isEqualTo(before);

      assertThat(backend.commit(List.of(link("/r.example/c", "x")), TIME, RECORDER).revision())
          .isEqualTo(first.revision() + 1);
    }
    assertThat(shown()).containsKeys("/r.example/a", "/r.example/c");
  }

  @Test
  void keepsThePreviousRevisionReadable() {
    try (PublisherBackend backend = open()) {
      backend.commit(List.of(link("/r.example/a:1", "one")), TIME, RECORDER);
      backend.commit(
          List.of(link("/r.example/a:1", "two"), layer(staging(), "x")), TIME + 1, RECORDER);
    }

    assertThat(PublishedTree.atTag(published(), Tag.TRUNK)).isEqualTo(shown());
    assertThat(PublishedTree.atTag(published(), Tag.TRUNK_PREVIOUS))
        .containsEntry("/r.example/a:1", "link one")
        .doesNotContainKey("/.layers");
  }

  @Test
  void leavesTheRepositoryAsItWasWhenATransactionFails() {
    CatalogChange.Attach x = layer(staging(), "x");
    try (PublisherBackend backend = open()) {
      Committed first = backend.commit(List.of(link("/r.example/a", "x")), TIME, RECORDER);
      Map<String, String> before = shown();
      failNextTransaction();

      assertThatThrownBy(() -> backend.commit(List.of(x), TIME, RECORDER))
          .isInstanceOf(RepositoryException.Retryable.class);
      assertThat(backend.head().rootCatalog()).isEqualTo(first.root());
      assertThat(backend.view().graftAt(x.path())).isEmpty();
      assertThat(shown()).isEqualTo(before);

      assertThat(backend.commit(List.of(x), TIME, RECORDER).revision())
          .isEqualTo(first.revision() + 1);
    }
    assertThat(shown()).containsKeys("/r.example/a", x.path() + "/etc/hostname");
  }

  @Test
  void reportsAConflictWhileOthersAreInTheWay() {
    CatalogChange.Attach x = layer(staging(), "x");
    try (PublisherBackend backend = open()) {
      letOthersStandInTheWay();
      assertThatThrownBy(() -> backend.commit(List.of(x), TIME, RECORDER))
          .isInstanceOf(RepositoryException.Conflict.class);
      assertThat(shown()).doesNotContainKey(x.path().toString());

      letOthersGoAway();
      assertThat(backend.commit(List.of(x), TIME, RECORDER).effective()).contains(x);
    }
    assertThat(shown()).containsKey(x.path() + "/etc/hostname");
  }

  @Test
  void showsItsSuccessorWhatItDid() {
    CatalogChange.Attach x = layer(staging(), "x");
    ContentHash root;
    try (PublisherBackend backend = open()) {
      root = backend.commit(List.of(x), TIME, RECORDER).root();
      assertThat(backend.view().graftAt(x.path())).contains(x.graft());
      assertThat(backend.view().graftAt(x.path().parent())).isEmpty();
      assertThat(backend.view().graftAt(RepositoryPath.of("/.layers/zz/none"))).isEmpty();
    }

    try (PublisherBackend successor = open()) {
      assertThat(successor.head().rootCatalog()).isEqualTo(root);
      assertThat(successor.view().isCatalog(x.path())).isTrue();
      assertThat(successor.view().graftAt(x.path())).contains(x.graft());
      assertThat(successor.commit(List.of(x), TIME, RECORDER).isPublished()).isFalse();
      Committed second = successor.commit(List.of(layer(staging(), "y")), TIME, RECORDER);
      assertThat(second.previousRoot()).isEqualTo(root);
    }
  }

  @Test
  void keepsTheRecordOfATransactionUntilItIsForgotten() {
    ContentHash root;
    try (PublisherBackend backend = open()) {
      root = backend.commit(List.of(layer(staging(), "x")), TIME, RECORDER).root();
    }

    try (PublisherBackend successor = open()) {
      assertThat(successor.recordOf(root)).contains(record(root));
      successor.forgetRecord(root);
      assertThat(successor.recordOf(root)).isEmpty();
    }
  }

  @Test
  void publishesOnceAndHasTheRecordWhenItsWriterDiesRightAfterTheCommit() {
    List<CatalogChange> changes = List.of(layer(staging(), "x"), link("/r.example/a:1", "t"));
    long before = revisionShown();
    PublisherBackend dying = open();
    ContentHash base = dying.head().rootCatalog();
    dieAfterNextCommit();
    assertThatThrownBy(() -> dying.commit(changes, TIME, RECORDER)).isNotNull();
    Map<String, String> shown = shown();
    dying.close();

    assertThat(shown).containsEntry("/r.example/a:1", "link t");
    try (PublisherBackend successor = open()) {
      ContentHash head = successor.head().rootCatalog();
      assertThat(head).isNotEqualTo(base);
      assertThat(successor.recordOf(head)).contains(record(head));
      assertThat(successor.commit(changes, TIME + 9, RECORDER).isPublished()).isFalse();
    }
    assertThat(revisionShown()).isEqualTo(before + 1);
    assertThat(shown()).isEqualTo(shown);
  }

  private static byte[] record(ContentHash root) {
    return ("record of " + root).getBytes(StandardCharsets.UTF_8);
  }
}
