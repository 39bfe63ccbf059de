package io.lamina.converter.flat;

import io.lamina.converter.layer.ConversionReport;
import io.lamina.converter.layer.ConversionReport.Decision;
import io.lamina.converter.layer.Markers;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.tree.FileTree;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Puts entries where they belong whose directory is a link in the layers below: a layer that holds
 * {@code lib/x} but no {@code lib}, over one in which {@code lib} is a link to {@code usr/lib},
 * means {@code usr/lib/x}. Links are resolved by arithmetic inside the tree; none leaves it.
 *
 * <p>Source: docs/conversion.md, "Links below".
 */
final class LinkedDirectories {
  private static final int MAX_ROUNDS = 8;
  private static final int MAX_HOPS = 40;
  private static final int MAX_STEPS = 4096;

  private final FileTree lower;
  private final ConversionReport.Collector report;

  LinkedDirectories(FileTree lower, ConversionReport.Collector report) {
    this.lower = lower;
    this.report = report;
  }

  private record Move(RepositoryPath from, RepositoryPath to, CatalogEntry entry) {}

  /** Moves entries of {@code upper} until none lies below a link of the lower tree. */
  void settle(FileTree upper) {
    for (int round = 0; round < MAX_ROUNDS; round++) {
      List<RepositoryPath> emptied = new ArrayList<>();
      List<Move> moves = moves(upper, emptied);
      if (emptied.isEmpty()) {
        return;
      }
      emptied.forEach(upper::remove);
      for (Move move : moves) {
        // A directory that was only made up must not replace what the layer says of it.
        boolean known = Markers.isImplicit(move.entry) && upper.find(move.to).isPresent();
        if (!known) {
          upper.put(move.to, move.entry);
        }
      }
    }
  }

  private List<Move> moves(FileTree upper, List<RepositoryPath> emptied) {
    List<Move> moves = new ArrayList<>();
    OpaqueAncestors hidden = new OpaqueAncestors();
    RepositoryPath[] current = new RepositoryPath[2];
    upper.forEach(
        (path, entry) -> {
          boolean visible = !hidden.hides(path, entry);
          RepositoryPath from = current[0];
          if (from != null && path.startsWith(from) && !path.equals(from)) {
            moves.add(new Move(path, moved(path, from, current[1]), entry));
            return;
          }
          if (visible && !path.isRoot() && Markers.isImplicit(entry)) {
            RepositoryPath to = linkedDirectory(path);
            if (to != null) {
              report.add(Decision.MOVED_THROUGH_LINK, path, "to " + to);
              emptied.add(path);
              current[0] = path;
              current[1] = to;
            }
          }
        });
    return moves;
  }

  private static RepositoryPath moved(RepositoryPath path, RepositoryPath from, RepositoryPath to) {
    byte[] raw = path.bytes();
    byte[] head = to.bytes();
    int keep = raw.length - from.bytes().length;
    byte[] all = Arrays.copyOf(head, head.length + keep);
    System.arraycopy(raw, raw.length - keep, all, head.length, keep);
    return RepositoryPath.ofBytes(all);
  }

  /** The directory that a link at this path of the lower tree leads to; null if there is none. */
  private @Nullable RepositoryPath linkedDirectory(RepositoryPath path) {
    Optional<CatalogEntry> link = lower.find(path);
    if (link.isEmpty() || !link.get().isSymlink()) {
      return null;
    }
    RepositoryPath target = resolve(path.parent(), link.get().symlinkTarget());
    boolean directory =
        target != null && lower.find(target).filter(CatalogEntry::isDirectory).isPresent();
    // A directory inside the link's own place cannot be: nothing lies below a link.
    return directory ? target : null;
  }

  private @Nullable RepositoryPath resolve(RepositoryPath start, byte[] firstTarget) {
    Deque<byte[]> steps = new ArrayDeque<>();
    RepositoryPath at = push(steps, firstTarget) ? RepositoryPath.ROOT : start;
    int hops = 1;
    for (int taken = 0; !steps.isEmpty(); taken++) {
      if (taken == MAX_STEPS || steps.size() > MAX_STEPS) {
        return null;
      }
      byte[] step = steps.pop();
      if (step.length == 2 && step[0] == '.' && step[1] == '.') {
        at = at.isRoot() ? at : at.parent();
        continue;
      }
      RepositoryPath next;
      try {
        next = at.resolve(step);
      } catch (CvmfsException.Rejected e) {
        // Too long a name or path: the link leads nowhere.
        return null;
      }
      CatalogEntry entry = lower.find(next).orElse(null);
      if (entry == null) {
        return null;
      }
      if (!entry.isSymlink()) {
        at = next;
        continue;
      }
      if (++hops > MAX_HOPS) {
        return null;
      }
      at = push(steps, entry.symlinkTarget()) ? RepositoryPath.ROOT : at;
    }
    return at;
  }

  /** Puts a target's components in front; whether it starts at the root. */
  private static boolean push(Deque<byte[]> steps, byte[] target) {
    int end = target.length;
    for (int i = target.length - 1; i >= -1; i--) {
      if (i >= 0 && target[i] != '/') {
        continue;
      }
      int size = end - i - 1;
      boolean dot = size == 1 && target[i + 1] == '.';
      if (size > 0 && !dot) {
        steps.push(Arrays.copyOfRange(target, i + 1, end));
      }
      end = i;
    }
    return target.length > 0 && target[0] == '/';
  }
}
