package io.lamina.publisher;

import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.messaging.event.Event.FollowedPosition;
import io.lamina.messaging.event.Event.TransactionFollowed;
import io.lamina.messaging.event.SiteOrigin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What other sites have published, as far as one repository has followed it: each transaction once
 * and in the other site's order, however often the copy of its journal says it. For one thread.
 *
 * <p>Source: docs/adr/0063-sites-follow-journals.md.
 */
final class Followed {
  private final Map<String, SiteOrigin> positions = new HashMap<>();
  private final Map<String, TransactionFollowed> batch = new LinkedHashMap<>();
  private Map<TransactionFollowed, String> refused = Map.of();

  void restore(FollowedPosition position) {
    positions.put(position.origin().key(), position.origin());
  }

  /**
   * @return the note to keep if it is to be published; empty if it was already
   * @throws IllegalArgumentException if the site said something else of this revision before
   */
  Optional<FollowedPosition> accept(TransactionFollowed event) {
    SiteOrigin origin = event.origin();
    SiteOrigin known = positions.get(origin.key());
    if (known != null && known.round() == origin.round()) {
      if (known.revision() == origin.revision() && !known.root().equals(origin.root())) {
        throw new IllegalArgumentException(
            "site "
                + origin.site()
                + " has two revisions "
                + origin.revision()
                + " of "
                + origin.source()
                + ": "
                + known.root()
                + " was followed, "
                + origin.root()
                + " came now; if the repository was made anew there, follow it in a new round");
      }
    }
    if (known != null
        && (known.round() > origin.round()
            || known.round() == origin.round() && known.revision() >= origin.revision())) {
      return Optional.empty();
    }
    positions.put(origin.key(), origin);
    if (!event.changes().isEmpty()) {
      batch.put("site/" + origin.key() + "/" + origin.round() + "/" + origin.revision(), event);
    }
    return Optional.of(new FollowedPosition(event.repository(), origin));
  }

  /** What is to be committed, in the order in which it came. */
  List<Step> steps() {
    List<Step> steps = new ArrayList<>();
    // Among the other changes and not the trees: a later one may hang another tree at its place.
    batch.forEach(
        (key, event) ->
            steps.add(
                new Step(
                    key,
                    List.<CatalogChange>of(),
                    event.changes(),
                    List.of(),
                    List.of(),
                    event.timestampSeconds())));
    return steps;
  }

  void settle(Map<String, Step.Result> results) {
    Map<TransactionFollowed, String> reasons = new LinkedHashMap<>();
    batch.forEach(
        (key, event) -> {
          if (results.get(key) instanceof Step.Result.Refused no) {
            reasons.put(event, no.reason());
          }
        });
    refused = reasons;
    batch.clear();
  }

  Map<TransactionFollowed, String> refused() {
    return refused;
  }
}
