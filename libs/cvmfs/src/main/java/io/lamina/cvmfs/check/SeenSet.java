package io.lamina.cvmfs.check;

/**
 * Remembers 128-bit keys in 16 bytes each, up to a bound; from there on it forgets new ones, so
 * that something may be looked at twice. Keys are taken from hashes, so they are spread evenly. Not
 * thread-safe.
 */
final class SeenSet {
  private static final int FIRST_SLOTS = 1 << 10;

  private final int maxKeys;
  private long[] slots = new long[2 * FIRST_SLOTS];
  private int size;

  SeenSet(int maxKeys) {
    this.maxKeys = maxKeys;
  }

  /** Whether the key is new, as far as this remembers. */
  boolean add(long first, long second) {
    // The empty slot is all zero.
    long low = first == 0 && second == 0 ? 1 : first;
    int slot = find(slots, low, second);
    if (slots[slot] == low && slots[slot + 1] == second) {
      return false;
    }
    if (size >= maxKeys) {
      return true;
    }
    slots[slot] = low;
    slots[slot + 1] = second;
    size++;
    if (4L * size > slots.length) {
      grow();
    }
    return true;
  }

  boolean contains(long first, long second) {
    long low = first == 0 && second == 0 ? 1 : first;
    int slot = find(slots, low, second);
    return slots[slot] == low && slots[slot + 1] == second;
  }

  /** The key's slot, or the empty one where it belongs; at most half of the slots are taken. */
  private static int find(long[] slots, long first, long second) {
    int mask = slots.length / 2 - 1;
    int index = (int) (first ^ second >>> 32) & mask;
    while (true) {
      int slot = 2 * index;
      boolean empty = slots[slot] == 0 && slots[slot + 1] == 0;
      if (empty || (slots[slot] == first && slots[slot + 1] == second)) {
        return slot;
      }
      index = (index + 1) & mask;
    }
  }

  private void grow() {
    long[] old = slots;
    slots = new long[2 * old.length];
    for (int i = 0; i < old.length; i += 2) {
      if (old[i] != 0 || old[i + 1] != 0) {
        int slot = find(slots, old[i], old[i + 1]);
        slots[slot] = old[i];
        slots[slot + 1] = old[i + 1];
      }
    }
  }
}
