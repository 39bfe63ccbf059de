package io.lamina.node.events;

import java.util.OptionalLong;

/**
 * Tells of publications, as long as whoever it hears them from is there; goes on without end when
 * not. Thread-safe.
 */
public interface PublicationSource extends AutoCloseable {
  /**
   * How well it hears.
   *
   * @param isConnected whether news would come now
   * @param behind news that are there and not told yet, if that can be known
   */
  record Progress(boolean isConnected, OptionalLong behind) {}

  /** For people: {@code kafka}, {@code gateway}. */
  String name();

  /** Begins; to be called once. */
  void start(PublicationListener listener);

  Progress progress();

  @Override
  void close();
}
