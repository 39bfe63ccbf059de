package io.lamina.layers;

import java.util.List;

/**
 * How users and groups of containers are shown on the host. Immutable.
 *
 * @param users empty for no mapping at all
 * @param groups empty for no mapping at all
 */
public record IdMaps(List<Range> users, List<Range> groups) {
  /** Containers and host have the same ids. */
  public static final IdMaps NONE = new IdMaps(List.of(), List.of());

  private static final int MAX_RANGES = 340;
  private static final long ID_END = 1L << 32;

  /** A range of ids, {@code size} of them from {@code container} and {@code host} on. */
  public record Range(long container, long host, long size) {
    /**
     * @throws LayersException.Rejected if it is not a range of 32-bit ids
     */
    public Range {
      if (container < 0
          || host < 0
          || size < 1
          || size > ID_END
          || container > ID_END - size
          || host > ID_END - size) {
        throw new LayersException.Rejected(
            "not a range of ids: container " + container + ", host " + host + ", size " + size);
      }
    }
  }

  /**
   * @throws LayersException.Rejected if there are too many ranges, or only users or only groups
   */
  public IdMaps {
    users = List.copyOf(users);
    groups = List.copyOf(groups);
    if (users.size() > MAX_RANGES || groups.size() > MAX_RANGES) {
      throw new LayersException.Rejected("more than " + MAX_RANGES + " ranges of ids");
    }
    if (users.isEmpty() != groups.isEmpty()) {
      throw new LayersException.Rejected("ids of users and groups must both be mapped, or neither");
    }
  }

  public boolean isNone() {
    return users.isEmpty();
  }

  /**
   * @throws LayersException.Rejected if the id is not mapped
   */
  public int userOnHost(long containerUid) {
    return (int) translate(users, containerUid, true, "uid");
  }

  /**
   * @throws LayersException.Rejected if the id is not mapped
   */
  public int groupOnHost(long containerGid) {
    return (int) translate(groups, containerGid, true, "gid");
  }

  /**
   * @throws LayersException.Rejected if the id is not mapped
   */
  public long userInContainer(long hostUid) {
    return translate(users, hostUid, false, "uid");
  }

  /**
   * @throws LayersException.Rejected if the id is not mapped
   */
  public long groupInContainer(long hostGid) {
    return translate(groups, hostGid, false, "gid");
  }

  private static long translate(List<Range> ranges, long id, boolean toHost, String what) {
    if (ranges.isEmpty()) {
      return id;
    }
    for (Range range : ranges) {
      long from = toHost ? range.container : range.host;
      if (id >= from && id - from < range.size) {
        return id - from + (toHost ? range.host : range.container);
      }
    }
    throw new LayersException.Rejected(
        what + " " + id + " of the " + (toHost ? "container" : "host") + " is not mapped");
  }
}
