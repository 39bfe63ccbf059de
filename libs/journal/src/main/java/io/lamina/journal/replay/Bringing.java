package io.lamina.journal.replay;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.storage.ObjectStore;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Brings what is needed into a store: copied where a source has it, else made again if that is
 * worth it. One call at a time.
 */
final class Bringing {
  private final TreeCopy copy;
  private final Remaker remaker;
  private final ObjectStore store;
  private final Predicate<Needed> worthMaking;

  /**
   * @param worthMaking whether it is made again where no source has it
   */
  Bringing(TreeCopy copy, Remaker remaker, ObjectStore store, Predicate<Needed> worthMaking) {
    this.copy = copy;
    this.remaker = remaker;
    this.store = store;
    this.worthMaking = worthMaking;
  }

  /**
   * Trees that the end does not show would cost a conversion that nobody sees; files are small, and
   * with them the revisions in between can be read.
   */
  static boolean isWorthMaking(Needed needed, boolean isShown) {
    return isShown || needed.kind() == ObjectKind.FILE;
  }

  /** What could neither be copied nor made. */
  List<MissingObject> bring(List<Needed> wanted) {
    List<MissingObject> missing = copy.copy(wanted);
    if (missing.isEmpty()) {
      return missing;
    }
    Set<ContentHash> lost = new HashSet<>();
    missing.forEach(object -> lost.add(object.tree()));
    Map<ContentHash, String> reasons = new LinkedHashMap<>();
    List<Needed> made = new ArrayList<>();
    for (Needed needed : inOrder(wanted, lost)) {
      Optional<String> reason = remaker.makeAgain(needed, store);
      if (reason.isEmpty()) {
        made.add(needed);
      } else {
        reasons.put(needed.hash(), reason.get());
      }
    }
    List<MissingObject> still = new ArrayList<>();
    Set<ContentHash> there = new HashSet<>();
    made.forEach(needed -> there.add(needed.hash()));
    for (MissingObject object : missing) {
      if (!there.contains(object.tree())) {
        still.add(object.with(reasons.getOrDefault(object.tree(), "")));
      }
    }
    still.addAll(copy.copy(made));
    return still;
  }

  /** Files first, then layers: each is made of those before it. */
  private List<Needed> inOrder(List<Needed> wanted, Set<ContentHash> lost) {
    return wanted.stream()
        .filter(needed -> lost.contains(needed.hash()) && worthMaking.test(needed))
        .distinct()
        .sorted(Comparator.comparingInt(Bringing::rank))
        .toList();
  }

  private static int rank(Needed needed) {
    if (needed.kind() == ObjectKind.FILE) {
      // A manifest tells what the other files were.
      return needed.path().toString().endsWith("/manifest.json") ? 0 : 1;
    }
    return needed.path().toString().startsWith("/.layers/") ? 2 : 3;
  }
}
