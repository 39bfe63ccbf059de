package io.lamina.client.cache;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * An object that is on its way into the cache: nobody sees it before it is complete. Not
 * thread-safe.
 */
public final class StagedObject extends OutputStream {
  private final FileChannel channel;
  private final CRC32C checksum = new CRC32C();
  private long sizeBytes;

  StagedObject(Path file) throws IOException {
    this.channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  /** Forgets what was written, for another attempt. */
  public void restart() throws IOException {
    if (sizeBytes > 0) {
      channel.truncate(0);
      checksum.reset();
      sizeBytes = 0;
    }
  }

  @Override
  public void write(int single) throws IOException {
    write(new byte[] {(byte) single}, 0, 1);
  }

  @Override
  public void write(byte[] source, int offset, int length) throws IOException {
    ByteBuffer rest = ByteBuffer.wrap(source, offset, length);
    while (rest.hasRemaining()) {
      channel.write(rest, sizeBytes + rest.position() - offset);
    }
    checksum.update(source, offset, length);
    sizeBytes += length;
  }

  long sizeBytes() {
    return sizeBytes;
  }

  int checksum() {
    return (int) checksum.getValue();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
