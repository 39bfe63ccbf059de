package io.lamina.layers.archive;

import io.lamina.image.thin.ThinDescriptor;
import io.lamina.image.thin.ThinDescriptorJson;
import io.lamina.linux.RawName;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collections;

/** The archive of a thin layer: its descriptor, and nothing else. Same descriptor, same bytes. */
public final class ThinArchive {
  private ThinArchive() {}

  public static byte[] of(ThinDescriptor descriptor) {
    byte[] json = ThinDescriptorJson.write(descriptor);
    ByteArrayOutputStream archive = new ByteArrayOutputStream();
    TarWriter tar = new TarWriter(archive);
    try {
      tar.begin(
          new TarWriter.Header(
              TarWriter.Type.FILE,
              RawName.of(ThinDescriptorJson.FILE_NAME),
              new byte[0],
              0644,
              0,
              0,
              json.length,
              0,
              0,
              0,
              Collections.emptySortedMap()));
      archive.writeBytes(json);
      tar.endContent(json.length);
      tar.end();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return archive.toByteArray();
  }
}
