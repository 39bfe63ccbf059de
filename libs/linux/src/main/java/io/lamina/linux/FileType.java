package io.lamina.linux;

/** What an entry of a directory is. */
public enum FileType {
  REGULAR(0100000, 8),
  DIRECTORY(0040000, 4),
  SYMLINK(0120000, 10),
  CHARACTER_DEVICE(0020000, 2),
  BLOCK_DEVICE(0060000, 6),
  FIFO(0010000, 1),
  SOCKET(0140000, 12),
  /** Only in listings: the file system does not tell. */
  UNKNOWN(0, 0);

  private final int modeBits;
  private final int listedAs;

  FileType(int modeBits, int listedAs) {
    this.modeBits = modeBits;
    this.listedAs = listedAs;
  }

  /** The type's bits of {@code st_mode}. */
  public int modeBits() {
    return modeBits;
  }

  static FileType ofMode(int mode) {
    for (FileType type : values()) {
      if (type.modeBits == (mode & Flags.S_IFMT)) {
        return type;
      }
    }
    return UNKNOWN;
  }

  static FileType ofListing(int number) {
    for (FileType type : values()) {
      if (type.listedAs == number) {
        return type;
      }
    }
    return UNKNOWN;
  }
}
