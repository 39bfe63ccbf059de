package io.lamina.image;

/**
 * A layer that can be fetched: its blob, and what it must be once decompressed. Immutable.
 *
 * @param blob the compressed (or plain) tar as the registry has it
 * @param diffId SHA-256 of the uncompressed tar, from the image's config
 */
public record LayerDescriptor(Descriptor blob, Digest diffId) {}
