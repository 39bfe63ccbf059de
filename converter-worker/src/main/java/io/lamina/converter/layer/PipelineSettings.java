package io.lamina.converter.layer;

import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.compression.Compression;

/**
 * How contents become objects, and what that may take. Immutable.
 *
 * @param compression of all objects that shrink by it
 * @param hash names the objects
 * @param chunks where files are cut
 * @param threads that compress at once
 * @param maxBufferBytes of contents under work, for all layers together; about twice as much memory
 *     may be in use
 * @param parallelPuts batches of objects on their way to the store at once
 */
public record PipelineSettings(
    Compression compression,
    HashAlgorithm hash,
    ChunkSizes chunks,
    int threads,
    long maxBufferBytes,
    int parallelPuts) {
  private static final long DEFAULT_BUFFER_BYTES = 64L << 20;

  public PipelineSettings {
    if (threads < 1 || threads > 1024 || parallelPuts < 1 || parallelPuts > 1024) {
      throw new IllegalArgumentException(
          "threads (" + threads + ") and parallel puts (" + parallelPuts + ") are 1 to 1024");
    }
    if (maxBufferBytes < 2L * chunks.maxBytes()) {
      throw new IllegalArgumentException(
          "buffers of "
              + maxBufferBytes
              + " bytes do not hold two chunks of "
              + chunks.maxBytes()
              + " bytes");
    }
  }

  /** One thread for each core, SHA-1, chunks as the original publisher cuts them. */
  public static PipelineSettings byDefault() {
    return new PipelineSettings(
        Compression.byDefault(),
        HashAlgorithm.SHA1,
        ChunkSizes.DEFAULT,
        Runtime.getRuntime().availableProcessors(),
        DEFAULT_BUFFER_BYTES,
        32);
  }

  /** The same with other objects. */
  public PipelineSettings withCompression(Compression other) {
    return new PipelineSettings(other, hash, chunks, threads, maxBufferBytes, parallelPuts);
  }
}
