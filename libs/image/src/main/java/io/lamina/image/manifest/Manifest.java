package io.lamina.image.manifest;

import io.lamina.image.Descriptor;
import java.util.List;

/** What a reference names: one image, or an index of several. */
public sealed interface Manifest {
  String mediaType();

  /**
   * One image. Immutable.
   *
   * @param layers bottom first, foreign ones included
   */
  record Image(String mediaType, Descriptor config, List<Descriptor> layers) implements Manifest {
    public Image {
      layers = List.copyOf(layers);
    }
  }

  /** Images for several platforms. Immutable. */
  record Index(String mediaType, List<IndexEntry> entries) implements Manifest {
    public Index {
      entries = List.copyOf(entries);
    }
  }
}
