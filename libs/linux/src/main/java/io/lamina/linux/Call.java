package io.lamina.linux;

import java.util.Locale;

/** System calls and their numbers. Source: syscall_64.tbl and asm-generic/unistd.h of Linux. */
enum Call {
  READ(0, 63),
  WRITE(1, 64),
  CLOSE(3, 57),
  LSEEK(8, 62),
  IOCTL(16, 29),
  PREAD64(17, 67),
  FSYNC(74, 82),
  FTRUNCATE(77, 46),
  CHDIR(80, 49),
  FCHMOD(91, 52),
  FCHOWN(93, 55),
  GETEUID(107, 175),
  GETEGID(108, 177),
  STATFS(137, 43),
  MOUNT(165, 40),
  UMOUNT2(166, 39),
  QUOTACTL(179, 60),
  SETXATTR(188, 5),
  LSETXATTR(189, 6),
  FSETXATTR(190, 7),
  GETXATTR(191, 8),
  LGETXATTR(192, 9),
  LISTXATTR(194, 11),
  LLISTXATTR(195, 12),
  REMOVEXATTR(197, 14),
  LREMOVEXATTR(198, 15),
  GETDENTS64(217, 61),
  OPENAT(257, 56),
  MKDIRAT(258, 34),
  MKNODAT(259, 33),
  FCHOWNAT(260, 54),
  UNLINKAT(263, 35),
  LINKAT(265, 37),
  SYMLINKAT(266, 36),
  READLINKAT(267, 78),
  FCHMODAT(268, 53),
  UNSHARE(272, 97),
  UTIMENSAT(280, 88),
  SYNCFS(306, 267),
  RENAMEAT2(316, 276),
  STATX(332, 291),
  OPEN_TREE(428, 428),
  MOVE_MOUNT(429, 429),
  FSOPEN(430, 430),
  FSCONFIG(431, 431),
  FSMOUNT(432, 432),
  OPENAT2(437, 437),
  MOUNT_SETATTR(442, 442),
  QUOTACTL_FD(443, 443);

  private final int x86;
  private final int arm;

  Call(int x86, int arm) {
    this.x86 = x86;
    this.arm = arm;
  }

  long number() {
    return switch (Native.Machine.here()) {
      case X86_64 -> x86;
      case AARCH64 -> arm;
    };
  }

  /** As the manual pages call it. */
  String symbol() {
    return name().toLowerCase(Locale.ROOT);
  }
}
