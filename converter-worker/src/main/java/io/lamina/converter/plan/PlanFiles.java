package io.lamina.converter.plan;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.event.StoredFile;
import java.util.List;
import java.util.Optional;

/** Where planners keep the registry's own bytes: the stores of the repositories. Thread-safe. */
public interface PlanFiles {
  /** The repositories that this process knows, sorted. */
  List<RepositoryName> known();

  /** Empty if the repository is not known. */
  Optional<Writer> writer(RepositoryName repository);

  /** Writes file objects of one repository. Thread-safe. */
  interface Writer {
    /**
     * Stores bytes as a file object, if it is not there yet.
     *
     * @throws io.lamina.storage.StorageException as the store
     */
    StoredFile store(byte[] bytes);

    /** Makes all that was stored before the call durable. */
    void flush();
  }
}
