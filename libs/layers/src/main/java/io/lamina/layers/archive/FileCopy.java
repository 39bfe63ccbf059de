package io.lamina.layers.archive;

import io.lamina.linux.CopyBuffer;
import io.lamina.linux.OpenFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;

/** Moves the content of files, through one buffer that is used again. Owned by one thread. */
final class FileCopy implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 17;

  /** Runs of zeros of this length, at multiples of it, become holes. */
  private static final int HOLE_BYTES = 1 << 15;

  /** Below this, looking for holes costs more than reading them. */
  private static final long SPARSE_FLOOR_BYTES = 1 << 20;

  private static final byte[] ZEROS = new byte[HOLE_BYTES];

  private final CopyBuffer buffer = new CopyBuffer(BUFFER_BYTES);
  private final Cancellation cancellation;

  FileCopy(Cancellation cancellation) {
    this.cancellation = cancellation;
  }

  /** Fills a new file from where it stands; long runs of zeros become holes. */
  void fill(OpenFile file, InputStream content, long sizeBytes) throws IOException {
    long position = 0;
    boolean hole = false;
    while (position < sizeBytes) {
      cancellation.check();
      int wanted = (int) Math.min(BUFFER_BYTES, sizeBytes - position);
      int length = content.readNBytes(buffer.bytes(), 0, wanted);
      if (length < wanted) {
        throw new IOException("a file's content ends after " + (position + length) + " bytes");
      }
      hole = write(file, position, length, hole);
      position += length;
    }
    if (hole) {
      file.truncate(sizeBytes);
    }
  }

  /** Returns whether the file's offset lies before what was written, behind a hole. */
  private boolean write(OpenFile file, long position, int length, boolean afterHole) {
    boolean hole = afterHole;
    int from = 0;
    int at = 0;
    while (at < length) {
      int step = Math.min(HOLE_BYTES, length - at);
      boolean zero =
          step == HOLE_BYTES && Arrays.equals(buffer.bytes(), at, at + step, ZEROS, 0, step);
      if (zero != hole) {
        if (hole) {
          file.seek(position + at);
        } else if (at > from) {
          file.write(buffer, from, at - from);
        }
        from = at;
        hole = zero;
      }
      at += step;
    }
    if (!hole) {
      file.write(buffer, from, length - from);
    }
    return hole;
  }

  /** Writes exactly this many bytes: what the file lacks by now as zeros. */
  void send(OpenFile file, long sizeBytes, OutputStream out) throws IOException {
    long position = 0;
    while (position < sizeBytes) {
      cancellation.check();
      long dataStart = position;
      long dataEnd = sizeBytes;
      if (sizeBytes >= SPARSE_FLOOR_BYTES) {
        long found = file.seekData(position);
        dataStart = found < 0 ? sizeBytes : Math.min(found, sizeBytes);
        if (dataStart < sizeBytes) {
          dataEnd = Math.min(file.seekHole(dataStart), sizeBytes);
          file.seek(dataStart);
        }
      }
      zeros(dataStart - position, out);
      position = dataStart;
      if (position < sizeBytes) {
        position += data(file, dataEnd - dataStart, out);
        if (position < dataEnd) {
          zeros(sizeBytes - position, out);
          position = sizeBytes;
        }
      }
    }
  }

  private long data(OpenFile file, long length, OutputStream out) throws IOException {
    long done = 0;
    while (done < length) {
      cancellation.check();
      int n = file.read(buffer, (int) Math.min(BUFFER_BYTES, length - done));
      if (n == 0) {
        break;
      }
      out.write(buffer.bytes(), 0, n);
      done += n;
    }
    return done;
  }

  private void zeros(long count, OutputStream out) throws IOException {
    long left = count;
    while (left > 0) {
      cancellation.check();
      int n = (int) Math.min(ZEROS.length, left);
      out.write(ZEROS, 0, n);
      left -= n;
    }
  }

  @Override
  public void close() {
    buffer.close();
  }
}
