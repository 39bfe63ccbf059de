package io.lamina.image.layer;

import java.io.InputStream;

/**
 * One entry of a layer, in the archive's order. Nothing here was resolved against other entries:
 * links are data.
 *
 * <p>Source: docs/conversion.md, "Entries". Immutable, but for a file's content.
 */
public sealed interface LayerEntry {
  LayerPath path();

  /** Also of the layer's root, whose path is empty. */
  record Directory(LayerPath path, EntryAttributes attributes) implements LayerEntry {}

  /**
   * @param sizeBytes length of {@code content}, holes of sparse files included
   * @param content valid until the next entry is asked for; what is not read is skipped
   */
  record RegularFile(
      LayerPath path, EntryAttributes attributes, long sizeBytes, InputStream content)
      implements LayerEntry {}

  /**
   * @param target raw, 1 byte or more, no NUL
   */
  record Symlink(LayerPath path, EntryAttributes attributes, byte[] target) implements LayerEntry {}

  /**
   * @param target another path of the layer, or of a layer below; checked like a name
   */
  record HardLink(LayerPath path, EntryAttributes attributes, LayerPath target)
      implements LayerEntry {}

  /**
   * @param major 0 to 4095
   * @param minor 0 to 1,048,575
   */
  record Device(LayerPath path, EntryAttributes attributes, Kind kind, int major, int minor)
      implements LayerEntry {
    /** What sort of device node it is. */
    public enum Kind {
      CHARACTER,
      BLOCK
    }
  }

  record Fifo(LayerPath path, EntryAttributes attributes) implements LayerEntry {}

  /**
   * The entry that lower layers have at this path is gone.
   *
   * @param path of the entry that is hidden, not of the marker
   */
  record Whiteout(LayerPath path, EntryAttributes attributes) implements LayerEntry {}

  /**
   * Nothing that lower layers have in this directory shows.
   *
   * @param path of the directory, not of the marker
   */
  record OpaqueMarker(LayerPath path) implements LayerEntry {}

  /** An entry that has no place in a tree; the reason is for people. */
  record Ignored(LayerPath path, String reason) implements LayerEntry {}
}
