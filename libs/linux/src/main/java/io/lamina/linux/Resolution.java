package io.lamina.linux;

/** Where a path may lead. Source: man 2 openat2. */
public enum Resolution {
  /** Symbolic links are followed, but a path that leaves the directory is refused. */
  BENEATH(0x08 | 0x02),
  /** As {@code BENEATH}, and no symbolic link on the way. */
  NO_SYMLINKS(0x08 | 0x04 | 0x02),
  /** The directory is the root: {@code ..} and absolute links stay within it. */
  IN_ROOT(0x10 | 0x02);

  private final long bits;

  Resolution(long bits) {
    this.bits = bits;
  }

  long bits() {
    return bits;
  }
}
