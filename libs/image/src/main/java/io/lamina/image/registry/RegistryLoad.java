package io.lamina.image.registry;

/**
 * How busy one registry's places are. Immutable.
 *
 * @param inUse requests and open blobs now
 * @param max places in all
 * @param rejected requests that got no place in time, since start
 */
public record RegistryLoad(int inUse, int max, long rejected) {}
