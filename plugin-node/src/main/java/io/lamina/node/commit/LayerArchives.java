package io.lamina.node.commit;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Descriptor;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Where archives go before they are published. Doing it again is harmless. Thread-safe; methods
 * block and can be interrupted.
 */
public interface LayerArchives {
  /** The storage cannot be reached, or has no room, now: the same call may succeed later. */
  final class Away extends Exception {
    private static final long serialVersionUID = 1L;

    public Away(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** The storage does not take it. */
  final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    public Refused(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * Stores an archive under its digest, unless it is there.
   *
   * @param file holds exactly what the descriptor says
   */
  void put(RepositoryName repository, Descriptor archive, Path file, Duration deadline)
      throws Away, Refused, InterruptedException;
}
