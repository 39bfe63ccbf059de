package io.lamina.publisher;

import io.lamina.image.Digest;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.WorkKey;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a batch leads to, besides what was committed. Immutable.
 *
 * @param work to be asked of the converters
 * @param statuses the latest of each request that changed
 * @param notes by key: the note to keep, or empty to delete it
 * @param spent layers whose uploaded archives are no longer of use once all this is recorded
 * @param idle work whose progress nobody asks for any more
 */
public record Decisions(
    List<Event.Work> work,
    List<Event.RequestStatus> statuses,
    Map<String, Optional<Event.Pending>> notes,
    Set<Digest> spent,
    List<WorkKey> idle) {
  public Decisions {
    work = List.copyOf(work);
    statuses = List.copyOf(statuses);
    notes = new LinkedHashMap<>(notes);
    spent = Set.copyOf(spent);
    idle = List.copyOf(idle);
  }
}
