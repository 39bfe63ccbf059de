package io.lamina.layers.overlay;

import io.lamina.image.thin.CvmfsUrl;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayerInfo.Kind;
import io.lamina.layers.LayerInfo.State;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is stored of a layer beside its files. Immutable. Source: docs/layers.md, "layer.json".
 *
 * @param sealed whether it has been another's parent, so that nothing may change it
 * @param removed whether it only waits for its children to be removed
 * @param opaqueRoot whether it shows nothing of the layers below
 * @param ownFiles whether a thin layer has files beside its descriptor
 * @param folders of a thin layer, bottom first, none twice
 * @param project that bounds its size; 0 for none
 */
record LayerRecord(
    LayerId id,
    @Nullable LayerId parent,
    Kind kind,
    State state,
    boolean sealed,
    boolean removed,
    boolean opaqueRoot,
    boolean ownFiles,
    List<CvmfsUrl> folders,
    int project) {
  LayerRecord {
    folders = List.copyOf(folders);
  }

  static LayerRecord created(LayerId id, @Nullable LayerId parent, int project) {
    return new LayerRecord(
        id, parent, Kind.REGULAR, State.CREATED, false, false, false, true, List.of(), project);
  }

  boolean isThin() {
    return kind == Kind.THIN;
  }

  /** Whether its files may still change. */
  boolean isWritable() {
    return state == State.CREATED && !sealed;
  }

  LayerRecord with(State changed) {
    return new LayerRecord(
        id, parent, kind, changed, sealed, removed, opaqueRoot, ownFiles, folders, project);
  }

  LayerRecord withSeal() {
    return new LayerRecord(
        id, parent, kind, state, true, removed, opaqueRoot, ownFiles, folders, project);
  }

  LayerRecord withRemoval() {
    return new LayerRecord(
        id, parent, kind, state, sealed, true, opaqueRoot, ownFiles, folders, project);
  }

  LayerRecord applied(boolean rootIsOpaque) {
    return new LayerRecord(
        id,
        parent,
        Kind.REGULAR,
        State.APPLIED,
        sealed,
        removed,
        rootIsOpaque,
        true,
        List.of(),
        project);
  }

  LayerRecord appliedThin(boolean rootIsOpaque, boolean hasOwnFiles, List<CvmfsUrl> urls) {
    return new LayerRecord(
        id,
        parent,
        Kind.THIN,
        State.APPLIED,
        sealed,
        removed,
        rootIsOpaque,
        hasOwnFiles,
        urls,
        project);
  }
}
