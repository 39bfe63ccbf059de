package io.lamina.node.snapshot;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Names and bounds of labels. Stateless. Source: docs/snapshotter.md, "Layers in CVMFS".
 *
 * <p>Names are those of containerd's client (1.4 and later) and its CRI plugin; engines with an
 * image store of containerd set the same.
 */
final class SnapshotLabels {
  /** The name that the snapshot is to be committed under: the chain id of its layer. */
  static final String TARGET = "containerd.io/snapshot.ref";

  /** Digest of the layer's blob, as the manifest names it. */
  static final String LAYER_DIGEST = "containerd.io/snapshot/cri.layer-digest";

  /** Key and value together, as containerd has it. */
  static final int MAX_LABEL_CHARS = 4096;

  static final int MAX_LABELS = 1000;
  private static final int MAX_NAME_CHARS = 4096;

  private SnapshotLabels() {}

  /**
   * Labels in order; those without a value count as absent, as for containerd.
   *
   * @throws SnapshotException.Invalid if they are too long or too many
   */
  static SortedMap<String, String> checked(Map<String, String> labels) {
    if (labels.size() > MAX_LABELS) {
      throw new SnapshotException.Invalid(
          labels.size() + " labels on one snapshot; the limit is " + MAX_LABELS);
    }
    SortedMap<String, String> checked = new TreeMap<>();
    labels.forEach(
        (name, value) -> {
          if (name.isEmpty() || name.length() + value.length() > MAX_LABEL_CHARS) {
            throw new SnapshotException.Invalid(
                "the label "
                    + printable(name)
                    + " is empty, or longer than "
                    + MAX_LABEL_CHARS
                    + " with its value");
          }
          if (!value.isEmpty()) {
            checked.put(name, value);
          }
        });
    return checked;
  }

  /**
   * @param what is named, for the message
   * @throws SnapshotException.Invalid if it is empty or too long
   */
  static String checkedName(String what, String name) {
    if (name.isEmpty() || name.length() > MAX_NAME_CHARS) {
      throw new SnapshotException.Invalid(
          "the "
              + what
              + " of a snapshot must have 1 to "
              + MAX_NAME_CHARS
              + " characters: '"
              + printable(name)
              + "'");
    }
    return name;
  }

  /** The layer that a pull is about to fetch; empty if it is not said, or is not a digest. */
  static Optional<Digest> layerDigest(Map<String, String> labels) {
    String text = labels.get(LAYER_DIGEST);
    if (text == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(Digest.parse(text));
    } catch (ImageException.Rejected e) {
      return Optional.empty();
    }
  }

  /** For messages: bounded and without control characters. */
  static String printable(String text) {
    String shown = text.length() <= 200 ? text : text.substring(0, 200) + "…";
    return shown.replaceAll("\\p{Cntrl}", "?");
  }
}
