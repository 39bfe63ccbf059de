package io.lamina.gateway.request;

/**
 * Hears of changes in the order in which they are folded. Called with the table's lock held: must
 * be quick and must not call the table.
 */
public interface StatusListener {
  /** A listener for nobody. */
  StatusListener NONE =
      new StatusListener() {
        @Override
        public void changed(RequestView request) {}

        @Override
        public void progressed(RequestView request) {}
      };

  /** A request is new or has another state. */
  void changed(RequestView request);

  /** Work of an unfinished request moved on. */
  void progressed(RequestView request);
}
