package io.lamina.standalone.verify;

/**
 * What a container that runs the image would see at one path. Immutable.
 *
 * @param type {@code d}, {@code f}, {@code l}, {@code c}, {@code b} or {@code p}
 * @param permissions the twelve lower mode bits
 * @param sha256 of a file's content in hex, else empty
 * @param target of a symbolic link, else empty
 * @param layer the layer that brought it, 0 at the bottom
 */
record SourceEntry(
    char type,
    int permissions,
    long uid,
    long gid,
    long sizeBytes,
    long mtimeSeconds,
    String sha256,
    String target,
    int layer) {}
