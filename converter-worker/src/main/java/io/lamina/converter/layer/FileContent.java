package io.lamina.converter.layer;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What became, or will have become, of a file's bytes. */
sealed interface FileContent {
  CompressionAlgorithm compression();

  /**
   * One object; its hash is known once the pipeline's session is complete. Written by one worker,
   * read after that.
   */
  final class Whole implements FileContent {
    private final CompressionAlgorithm compression;
    private @Nullable ContentHash hash;

    Whole(CompressionAlgorithm compression) {
      this.compression = compression;
    }

    @Override
    public CompressionAlgorithm compression() {
      return compression;
    }

    void stored(ContentHash name) {
      hash = name;
    }

    ContentHash hash() {
      ContentHash known = hash;
      if (known == null) {
        throw new IllegalStateException("the object is not stored yet");
      }
      return known;
    }
  }

  /** One of several objects. */
  record Piece(long offsetBytes, long sizeBytes, Whole object) {}

  /** Two objects or more, in order. */
  record Pieces(List<Piece> pieces) implements FileContent {
    public Pieces {
      pieces = List.copyOf(pieces);
    }

    @Override
    public CompressionAlgorithm compression() {
      return pieces.getFirst().object().compression();
    }
  }
}
