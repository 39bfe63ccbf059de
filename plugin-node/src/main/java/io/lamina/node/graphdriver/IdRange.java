package io.lamina.node.graphdriver;

/**
 * A run of user or group ids of containers and what they are on the host.
 *
 * @param size how many, 1 or more
 */
public record IdRange(long containerId, long hostId, long size) {
  private static final long MAX_ID = 0xffff_fffeL;

  public IdRange {
    if (containerId < 0
        || hostId < 0
        || containerId > MAX_ID
        || hostId > MAX_ID
        || size < 1
        || size > MAX_ID + 1
        || containerId + size - 1 > MAX_ID
        || hostId + size - 1 > MAX_ID) {
      throw new DriverException.Malformed(
          "a range of %d ids from %d to %d is not one of 32-bit ids"
              .formatted(size, containerId, hostId));
    }
  }
}
