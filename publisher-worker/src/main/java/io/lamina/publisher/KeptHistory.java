package io.lamina.publisher;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.history.Reflog;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.collection.CollectionSettings;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The revisions that a repository's reflog still names. */
record KeptHistory(Repository repository) implements RepositoryContents.OldRevisions {
  @Override
  public Duration grace() {
    return CollectionSettings.DEFAULT_GRACE;
  }

  @Override
  public List<Reflog.Entry> roots() {
    Optional<ObjectStore.Versioned> file =
        repository.store().readMutable(new ObjectKey(Reflog.FILE_NAME), Reflog.MAX_BYTES);
    if (file.isEmpty()) {
      return List.of();
    }
    List<Reflog.Entry> roots = new ArrayList<>();
    try (Reflog reflog = Reflog.open(file.get().bytes(), repository.name())) {
      reflog.forEach(
          entry -> {
            if (entry.kind() == Reflog.Kind.CATALOG) {
              roots.add(entry);
            }
          });
      return roots;
    } catch (CvmfsException e) {
      throw new RepositoryException.Corrupt(
          "the reflog of " + repository.name() + " cannot be read", e);
    }
  }
}
