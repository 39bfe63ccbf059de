package io.lamina.client.mount;

import io.lamina.client.tree.Entry;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Directories that are being listed, as they were when that began: the kernel asks for the rest
 * later, and tells by an entry's number alone which listing it means. Bounded; what was dropped, or
 * changed twice meanwhile, goes on in the present listing. Thread-safe.
 */
final class Listings {
  private static final int MAX_LISTINGS = 200;
  private static final int MAX_ENTRIES = 50_000;

  /** Numbers stay below 2^31, for programs of 32 bits; a directory has at most 2^21 entries. */
  private static final int INDEX_BITS = 23;

  private static final long INDEX_MASK = (1L << INDEX_BITS) - 1;
  private static final int GENERATIONS = 1 << (31 - INDEX_BITS);

  /**
   * @param state of the directory to which the entries belong
   * @param generation tells successive listings of a directory apart
   */
  record Listing(Node.State state, List<Entry> entries, int generation) {
    /** The number of the entry at this place, or of the end. */
    long number(int index) {
      return (long) generation << INDEX_BITS | index;
    }
  }

  private record Key(long directory, int generation) {}

  private final Map<Key, Listing> listings = new LinkedHashMap<>(16, 0.75f, true);
  private final Map<Long, Integer> latest = new LinkedHashMap<>(16, 0.75f, true);
  private int entries;

  static int index(long number) {
    return (int) (number & INDEX_MASK);
  }

  /** The listing that a number belongs to. */
  synchronized Optional<Listing> of(long directory, long number) {
    return Optional.ofNullable(
        listings.get(new Key(directory, (int) (number >>> INDEX_BITS) % GENERATIONS)));
  }

  /** The newest one, if it still shows what the directory is. */
  synchronized Optional<Listing> current(long directory, Node.State state) {
    Integer generation = latest.get(directory);
    return generation == null
        ? Optional.empty()
        : Optional.ofNullable(listings.get(new Key(directory, generation)))
            .filter(listing -> listing.state().entry().listing().equals(state.entry().listing()));
  }

  synchronized Listing begin(long directory, Node.State state, List<Entry> found) {
    int generation = (latest.getOrDefault(directory, -1) + 1) % GENERATIONS;
    Listing listing = new Listing(state, found, generation);
    latest.put(directory, generation);
    Listing before = listings.put(new Key(directory, generation), listing);
    entries += found.size() - (before == null ? 0 : before.entries().size());
    Iterator<Map.Entry<Key, Listing>> oldestFirst = listings.entrySet().iterator();
    while ((listings.size() > MAX_LISTINGS || entries > MAX_ENTRIES) && listings.size() > 1) {
      entries -= oldestFirst.next().getValue().entries().size();
      oldestFirst.remove();
    }
    Iterator<Long> idle = latest.keySet().iterator();
    while (latest.size() > 10 * MAX_LISTINGS) {
      idle.next();
      idle.remove();
    }
    return listing;
  }

  synchronized void clear() {
    listings.clear();
    latest.clear();
    entries = 0;
  }
}
