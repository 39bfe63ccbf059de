package io.lamina.layers;

import io.lamina.image.thin.ThinDescriptor;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * All layers of one engine. What it has done survives the end of the process at any moment.
 *
 * <p>Thread-safe: calls for different layers do not wait for each other, and a running {@link
 * #diff} never holds up any other call. Methods wait in system calls, which would hold the carrier
 * of a virtual thread (a dead network file system: without end), so call them from platform threads
 * and put deadlines around them. An interrupt ends waiting for another call and for CVMFS.
 *
 * <p>Source: docs/layers.md.
 */
public interface LayerStorage extends AutoCloseable {
  /**
   * A new engine speaks: what its predecessor had mounted is used once, everything else is not
   * used. To be called whenever an engine introduces itself, not after a restart of this process
   * alone.
   */
  void beginSession();

  /**
   * Makes an empty layer on top of {@code parent}, which is not changed from then on.
   *
   * @param parent null for a layer at the bottom
   * @throws LayersException.Conflict if the id is known already
   * @throws LayersException.NotFound if there is no such parent
   * @throws LayersException.Exhausted if the stack becomes higher than the kernel allows
   * @throws LayersException.NotSupported if a size is asked for and there are no quotas here
   */
  void create(LayerId id, @Nullable LayerId parent, LayerOptions options);

  /**
   * Shows the layer with all below it. Every call is to be followed by one {@link #unmount}; the
   * path is the same each time. A layer that was applied, or that has children, is read-only.
   *
   * @return absolute path of a directory
   * @throws LayersException.Unavailable if a CVMFS repository or folder is not there
   */
  Path mount(LayerId id, MountLabel label);

  /** Gives one use back; the last one ends the mount. A layer that is not used or known is fine. */
  void unmount(LayerId id);

  /**
   * Takes the layer away, used or not; one that is not known is fine. Its files are deleted in the
   * background, those of a layer with children together with the last child.
   */
  void remove(LayerId id);

  boolean exists(LayerId id);

  Optional<LayerInfo> find(LayerId id);

  /** All layers, by id. */
  List<LayerInfo> layers();

  /**
   * Fills an empty layer from a tar archive, which is read to its very end. The layer is thin if
   * the archive has a regular file {@code thin.json} at its root.
   *
   * @param parent as it was given when the layer was made
   * @param tar not compressed; an {@link java.io.IOException} from it is a broken archive, its end
   *     is a complete one; not closed here
   * @return bytes of all that is not a directory, each file with several names once
   * @throws LayersException.Rejected if the archive or the descriptor is malformed or hostile
   * @throws LayersException.Conflict if something was applied, or tried to be, before
   * @throws LayersException.Failed if the archive broke off; the layer can only be removed
   */
  long applyDiff(LayerId id, @Nullable LayerId parent, InputStream tar);

  /**
   * Makes an empty layer stand for folders in CVMFS, as an archive with only this descriptor would.
   *
   * @return bytes, as {@link #applyDiff}
   */
  long applyThin(LayerId id, ThinDescriptor descriptor);

  /**
   * Writes what this layer and those between have changed, as a tar archive; the same files give
   * the same bytes. Files that vanish meanwhile are left out, files that shrink are filled with
   * zeros. Whatever can be checked is checked before the first byte; a failure later leaves a torn
   * archive.
   *
   * @param parent any layer below; null for the whole file system if there are layers below
   * @param tar neither flushed nor closed here
   * @throws LayersException.NotFound if there is no such layer, or {@code parent} is not below it
   */
  void diff(LayerId id, @Nullable LayerId parent, OutputStream tar);

  /** What {@link #diff} would write, told as differences; directories before their entries. */
  List<Change> changes(LayerId id, @Nullable LayerId parent);

  /** Bytes of the files that {@link #diff} would write, each file with several names once. */
  long diffSize(LayerId id, @Nullable LayerId parent);

  /**
   * What the layer's own files take here, without those of layers below and of CVMFS.
   *
   * @throws LayersException.NotFound if there is no such layer
   */
  LayerUsage usage(LayerId id);

  /** The directories of the layer's mount, by the names that engines show: {@code UpperDir}, … */
  SortedMap<String, String> metadata(LayerId id);

  /** For people; in a fixed order. */
  List<StatusLine> status();

  /** The engine stops: ends mounts that nobody uses and finishes removals. Used ones stay. */
  void cleanup();

  /** Ends this process' work; mounts stay and are found again when the folder is opened. */
  @Override
  void close();
}
