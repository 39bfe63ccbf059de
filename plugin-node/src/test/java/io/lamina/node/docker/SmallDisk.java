package io.lamina.node.docker;

import io.lamina.linux.Mounts;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file system with little room, in memory, which can be filled and freed. Unmounted when it is
 * closed, or with the {@link WorkFolder} that it lies in.
 */
public final class SmallDisk implements AutoCloseable {
  private static final int PIECE_BYTES = 64 << 10;

  private final Path folder;

  private SmallDisk(Path folder) {
    this.folder = folder;
  }

  /** Mounts it on a folder, which is made. */
  public static SmallDisk at(Path folder, long bytes) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Mounts.mount("tmpfs", folder, "tmpfs", "size=" + bytes);
    return new SmallDisk(folder);
  }

  public Path folder() {
    return folder;
  }

  public long freeBytes() {
    try {
      return Files.getFileStore(folder).getUsableSpace();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path filler() {
    return folder.resolve("filler");
  }

  /** Takes all the room but so much; less is left if others write meanwhile. */
  public void fill(long leftBytes) {
    byte[] piece = new byte[PIECE_BYTES];
    try (OutputStream out = Files.newOutputStream(filler())) {
      for (long room = freeBytes() - leftBytes; room > 0; room -= piece.length) {
        out.write(piece, 0, (int) Math.min(piece.length, room));
      }
    } catch (IOException e) {
      if (freeBytes() > 0) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Gives back what {@link #fill} has taken. */
  public void free() {
    try {
      Files.deleteIfExists(filler());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    Mounts.detach(folder);
  }
}
