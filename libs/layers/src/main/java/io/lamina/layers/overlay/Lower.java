package io.lamina.layers.overlay;

import io.lamina.image.thin.CvmfsUrl;
import io.lamina.layers.LayerId;

/** A directory that lies below another layer. */
sealed interface Lower {
  /** A layer's own files. */
  record Own(LayerId id) implements Lower {}

  /** The directory that holds a thin layer's descriptor alone. */
  record Descriptor(LayerId id) implements Lower {}

  /** A folder that a thin layer names. */
  record Folder(CvmfsUrl url) implements Lower {}
}
