package io.lamina.standalone.bench;

import io.lamina.converter.layer.LayerConverter;
import io.lamina.converter.layer.LayerWork;
import io.lamina.converter.layer.ObjectPipeline;
import io.lamina.converter.layer.ObjectSink;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.layer.LayerEntry;
import io.lamina.image.layer.LayerLimits;
import io.lamina.image.layer.LayerReader;
import io.lamina.messaging.event.WorkFigures;
import io.lamina.repository.RepositoryLayout;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** The parts of a layer's conversion, as the converter does them. Thread-safe. */
final class Conversion {
  private static final int READ_BYTES = 1 << 18;

  /** Recorded time for what has none of its own; any fixed one serves. */
  private static final long TIME_SECONDS = 1_767_225_600;

  private Conversion() {}

  /** Reads and verifies a layer; the archive's length. */
  static long verify(BenchInput.Layer layer) throws IOException {
    byte[] buffer = new byte[READ_BYTES];
    try (LayerReader reader =
        LayerReader.open(layer.descriptor(), layer.blob().open(), LayerLimits.DEFAULT)) {
      Optional<LayerEntry> next = reader.next();
      while (next.isPresent()) {
        if (next.get() instanceof LayerEntry.RegularFile file) {
          InputStream content = file.content();
          while (content.read(buffer) >= 0) {
            // The reader hashes it.
          }
        }
        next = reader.next();
      }
      return reader.finish().unpackedBytes();
    }
  }

  static WorkFigures convert(BenchInput.Layer layer, ObjectPipeline pipeline, ObjectSink sink)
      throws IOException, InterruptedException {
    LayerDescriptor descriptor = layer.descriptor();
    return new LayerConverter(pipeline, LayerLimits.DEFAULT)
        .convert(
            new LayerWork(
                descriptor, RepositoryLayout.layer(descriptor.blob().digest().hex()), TIME_SECONDS),
            layer.blob().open(),
            sink,
            read -> {})
        .figures();
  }

  /** Keeps nothing. */
  enum Dropped implements ObjectSink {
    SINK;

    @Override
    public boolean put(ObjectKind kind, ContentHash hash, byte[] bytes, int offset, int length) {
      return true;
    }

    @Override
    public void flush() {
      // Nothing is kept.
    }
  }
}
