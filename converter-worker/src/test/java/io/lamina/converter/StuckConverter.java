package io.lamina.converter;

import io.lamina.converter.work.LayerConversion;
import io.lamina.image.Descriptor;
import io.lamina.image.ImageSource;
import io.lamina.image.ImageSources;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.messaging.KafkaSettings;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;

/**
 * A converter process that stops for ever in the middle of its work, so that it can be killed
 * there: while it resolves an image, or after half of a layer. Makes a file when it is there.
 */
final class StuckConverter {
  private StuckConverter() {}

  /**
   * @param args bootstrap servers, data folder, image folder, instance, file to make
   */
  public static void main(String[] args) throws InterruptedException {
    Path marker = Path.of(args[4]);
    DataFolder data = DataFolder.open(Path.of(args[1]));
    new Converters(
        KafkaSettings.of(args[0], "stuck"),
        data.stores(),
        Path.of(args[2]),
        ConverterIT.settings(4).named(args[3]),
        sources -> stuckSources(sources, marker),
        layers -> stuckLayers(layers, marker));
    Thread.currentThread().join();
  }

  private static ImageSources stuckSources(ImageSources sources, Path marker) {
    return reference -> {
      ImageSource source = sources.open(reference);
      return new ImageSource() {
        @Override
        public ResolvedImage resolve(Platform platform) {
          source.resolve(platform);
          return stop(marker);
        }

        @Override
        public InputStream openBlob(Descriptor blob) {
          return source.openBlob(blob);
        }

        @Override
        public void close() {
          source.close();
        }
      };
    };
  }

  private static LayerConversion stuckLayers(LayerConversion layers, Path marker) {
    return (work, blob, sink, progress) ->
        layers.convert(
            work,
            new HalfStream(blob, work.layer().blob().sizeBytes() / 2, marker),
            sink,
            progress);
  }

  private static <T> T stop(Path marker) {
    try {
      Files.createFile(marker);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    while (true) {
      LockSupport.park();
    }
  }

  private static final class HalfStream extends FilterInputStream {
    private final Path marker;
    private long left;

    private HalfStream(InputStream in, long bytes, Path marker) {
      super(in);
      this.left = bytes;
      this.marker = marker;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      if (left <= 0) {
        return StuckConverter.<Integer>stop(marker);
      }
      int n = super.read(target, offset, (int) Math.min(length, left));
      left -= Math.max(0, n);
      return n;
    }
  }
}
