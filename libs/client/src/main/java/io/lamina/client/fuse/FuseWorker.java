package io.lamina.client.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.lamina.client.failure.ClientException;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.linux.Errno;
import io.lamina.linux.LinuxException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One thread's buffers, and how it takes a request apart and answers it. For one thread. */
final class FuseWorker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FuseWorker.class);
  private static final int IN_BYTES = 64 << 10;
  private static final int FIRST_OUT_BYTES = 132 << 10;
  private static final int MAX_READ_BYTES = 1 << 20;
  private static final int PAGE_BYTES = 4096;
  private static final int MAX_BACKGROUND = 64;
  private static final int NAME_BYTES = 255;

  /** Failures are told at most this often: a broken disk fails every read. */
  private static final long LOG_EVERY_NANOS = 1_000_000_000L;

  private static final AtomicLong LAST_LOGGED = new AtomicLong(System.nanoTime() - LOG_EVERY_NANOS);

  private final FuseServer server;
  private final FuseFileSystem fileSystem;
  private final Arena inArena = Arena.ofConfined();
  private final MemorySegment in = inArena.allocate(IN_BYTES, Long.BYTES);
  private Arena outArena = Arena.ofConfined();
  private MemorySegment out = outArena.allocate(FIRST_OUT_BYTES, Long.BYTES);

  FuseWorker(FuseServer server) {
    this.server = server;
    this.fileSystem = server.fileSystem();
  }

  /** Waits for a request; negative when there will be none. */
  int receive() {
    while (true) {
      try {
        int length = server.device().read(in);
        if (length >= Wire.IN_HEADER_BYTES) {
          return length;
        }
        return noMore("a message of " + length + " bytes");
      } catch (LinuxException e) {
        switch (e.errno().number()) {
          case Errno.EAGAIN, Errno.ENOENT -> {
            // Whoever asked has given up before the request could be read.
          }
          case Errno.ENODEV -> {
            return -1;
          }
          default -> {
            return noMore(e.getMessage());
          }
        }
      }
    }
  }

  private int noMore(@Nullable String reason) {
    LOG.atWarn()
        .addKeyValue("mount", server.mountPoint())
        .addKeyValue("reason", reason)
        .log("the kernel sends no more requests");
    return -1;
  }

  void answer(int length) {
    int opcode = in.get(JAVA_INT_UNALIGNED, 4);
    long unique = in.get(JAVA_LONG_UNALIGNED, 8);
    long node = in.get(JAVA_LONG_UNALIGNED, 16);
    MemorySegment body = in.asSlice(Wire.IN_HEADER_BYTES, length - (long) Wire.IN_HEADER_BYTES);
    long payload;
    try {
      payload = dispatch(opcode, node, body);
    } catch (FuseError e) {
      payload = -e.number();
    } catch (ClientException.Exhausted e) {
      report(opcode, e);
      payload = -Errno.ENOSPC;
    } catch (CvmfsException | ClientException e) {
      report(opcode, e);
      payload = -Errno.EIO;
    } catch (RuntimeException e) {
      LOG.atError().addKeyValue("opcode", opcode).setCause(e).log("a request failed");
      payload = -Errno.EIO;
    }
    if (payload != NO_REPLY) {
      reply(unique, payload);
    }
  }

  private static final long NO_REPLY = Long.MIN_VALUE;

  private void report(int opcode, RuntimeException e) {
    long last = LAST_LOGGED.get();
    long now = System.nanoTime();
    if (now - last >= LOG_EVERY_NANOS && LAST_LOGGED.compareAndSet(last, now)) {
      LOG.atWarn()
          .addKeyValue("mount", server.mountPoint())
          .addKeyValue("opcode", opcode)
          .addKeyValue("reason", e.getMessage())
          .log("a file or directory cannot be read");
    }
  }

  /** How many bytes of payload the answer has, a negative error number, or {@link #NO_REPLY}. */
  private long dispatch(int opcode, long node, MemorySegment body) {
    return switch (opcode) {
      case Wire.LOOKUP -> lookup(node, name(body, 0));
      case Wire.GETATTR -> {
        Replies.putAttributeReply(payload(Wire.ATTR_OUT_BYTES), fileSystem.attributes(node));
        yield Wire.ATTR_OUT_BYTES;
      }
      case Wire.READLINK -> bytes(fileSystem.readLink(node));
      // The kernel then opens files by itself, with all that it has in memory of them.
      case Wire.OPEN -> -Errno.ENOSYS;
      case Wire.READ -> read(node, body);
      case Wire.OPENDIR -> server.negotiated().opensDirectories() ? -Errno.ENOSYS : openDirectory();
      case Wire.READDIR -> readDirectory(node, body, false);
      case Wire.READDIRPLUS -> readDirectory(node, body, true);
      case Wire.RELEASE, Wire.RELEASEDIR -> 0;
      case Wire.GETXATTR -> {
        byte @Nullable [] value = fileSystem.extendedAttribute(node, name(body, 8));
        yield value == null ? -Errno.ENODATA : attribute(value, body.get(JAVA_INT_UNALIGNED, 0));
      }
      case Wire.LISTXATTR ->
          attribute(fileSystem.extendedAttributes(node), body.get(JAVA_INT_UNALIGNED, 0));
      case Wire.STATFS -> statfs();
      case Wire.FORGET -> {
        fileSystem.forget(node, body.get(JAVA_LONG_UNALIGNED, 0));
        yield NO_REPLY;
      }
      case Wire.BATCH_FORGET -> forgetAll(body);
      case Wire.INTERRUPT -> NO_REPLY;
      case Wire.INIT -> initialise(body);
      case Wire.DESTROY -> 0;
      default -> Wire.isWriting(opcode) ? -Errno.EROFS : -Errno.ENOSYS;
    };
  }

  private long lookup(long directory, byte[] name) {
    Attributes found = fileSystem.lookup(directory, name);
    if (found.node() == 0 && found.validNanos() == 0) {
      return -Errno.ENOENT;
    }
    Replies.putEntry(payload(Wire.ENTRY_OUT_BYTES), found);
    return Wire.ENTRY_OUT_BYTES;
  }

  /** For kernels before 5.1, which insist on an answer. */
  private long openDirectory() {
    MemorySegment target = payload(Wire.OPEN_OUT_BYTES).fill((byte) 0);
    target.set(JAVA_INT_UNALIGNED, 8, Wire.FOPEN_CACHE_DIR | Wire.FOPEN_KEEP_CACHE);
    return Wire.OPEN_OUT_BYTES;
  }

  private long read(long node, MemorySegment body) {
    long offset = body.get(JAVA_LONG_UNALIGNED, 8);
    int size = requested(body.get(JAVA_INT_UNALIGNED, 16));
    return size == 0 ? 0 : fileSystem.read(node, payload(size), offset);
  }

  private long readDirectory(long node, MemorySegment body, boolean withAttributes) {
    long from = body.get(JAVA_LONG_UNALIGNED, 8);
    int size = requested(body.get(JAVA_INT_UNALIGNED, 16));
    DirectoryBuffer entries = new DirectoryBuffer(payload(size), withAttributes);
    fileSystem.readDirectory(node, from, entries);
    return entries.filled();
  }

  private static int requested(int size) {
    if (size < 0 || size > MAX_READ_BYTES) {
      throw new FuseError(Errno.EINVAL);
    }
    return size;
  }

  private long attribute(byte[] value, int room) {
    if (room == 0) {
      MemorySegment target = payload(8);
      target.set(JAVA_INT_UNALIGNED, 0, value.length);
      target.set(JAVA_INT_UNALIGNED, 4, 0);
      return 8;
    }
    return Integer.compareUnsigned(value.length, room) > 0 ? -Errno.ERANGE : bytes(value);
  }

  private long bytes(byte[] value) {
    MemorySegment.copy(value, 0, payload(value.length), ValueLayout.JAVA_BYTE, 0, value.length);
    return value.length;
  }

  private long statfs() {
    FuseFileSystem.FileSystemSize size = fileSystem.size();
    MemorySegment target = payload(80).fill((byte) 0);
    target.set(JAVA_LONG_UNALIGNED, 0, size.blocks());
    target.set(JAVA_LONG_UNALIGNED, 8, size.freeBlocks());
    target.set(JAVA_LONG_UNALIGNED, 16, size.freeBlocks());
    target.set(JAVA_LONG_UNALIGNED, 24, size.files());
    target.set(JAVA_INT_UNALIGNED, 40, PAGE_BYTES);
    target.set(JAVA_INT_UNALIGNED, 44, NAME_BYTES);
    target.set(JAVA_INT_UNALIGNED, 48, PAGE_BYTES);
    return 80;
  }

  private long forgetAll(MemorySegment body) {
    int count = body.get(JAVA_INT_UNALIGNED, 0);
    for (int i = 0; i < count; i++) {
      long at = 8 + 16L * i;
      fileSystem.forget(body.get(JAVA_LONG_UNALIGNED, at), body.get(JAVA_LONG_UNALIGNED, at + 8));
    }
    return NO_REPLY;
  }

  /** Agrees on a version and on what both sides can do. */
  private long initialise(MemorySegment body) {
    int major = body.get(JAVA_INT_UNALIGNED, 0);
    int minor = body.get(JAVA_INT_UNALIGNED, 4);
    MemorySegment target = payload(Wire.INIT_OUT_BYTES).fill((byte) 0);
    target.set(JAVA_INT_UNALIGNED, 0, Wire.MAJOR);
    if (major != Wire.MAJOR || minor < Wire.OLDEST_MINOR) {
      LOG.atError()
          .addKeyValue("kernel", major + "." + minor)
          .log("the kernel's FUSE protocol is too old; Linux 4.2 or later is needed");
      return -Errno.EPROTO;
    }
    long offered = Integer.toUnsignedLong(body.get(JAVA_INT_UNALIGNED, 12));
    if ((offered & Wire.INIT_EXT) != 0 && body.byteSize() >= 20) {
      offered |= Integer.toUnsignedLong(body.get(JAVA_INT_UNALIGNED, 16)) << Integer.SIZE;
    }
    long wanted =
        offered
            & (Wire.ASYNC_READ
                | Wire.DO_READDIRPLUS
                | Wire.READDIRPLUS_AUTO
                | Wire.ASYNC_DIO
                | Wire.PARALLEL_DIROPS
                | Wire.MAX_PAGES
                | Wire.CACHE_SYMLINKS
                | Wire.NO_OPENDIR_SUPPORT
                | Wire.EXPLICIT_INVAL_DATA
                | Wire.INIT_EXT
                | Wire.HAS_EXPIRE_ONLY);
    target.set(JAVA_INT_UNALIGNED, 4, Math.min(minor, Wire.MINOR));
    target.set(JAVA_INT_UNALIGNED, 8, MAX_READ_BYTES); // read-ahead; the kernel takes the lower
    target.set(JAVA_INT_UNALIGNED, 12, (int) wanted);
    target.set(JAVA_SHORT_UNALIGNED, 16, (short) MAX_BACKGROUND);
    target.set(JAVA_SHORT_UNALIGNED, 18, (short) (MAX_BACKGROUND * 3 / 4));
    target.set(JAVA_INT_UNALIGNED, 20, PAGE_BYTES);
    target.set(JAVA_INT_UNALIGNED, 24, 1); // times in nanoseconds
    target.set(JAVA_SHORT_UNALIGNED, 28, (short) (MAX_READ_BYTES / PAGE_BYTES));
    target.set(JAVA_INT_UNALIGNED, 32, (int) (wanted >>> Integer.SIZE));
    server.agree(
        new FuseServer.Negotiated(
            (wanted & Wire.HAS_EXPIRE_ONLY) != 0, (wanted & Wire.NO_OPENDIR_SUPPORT) != 0));
    return Wire.INIT_OUT_BYTES;
  }

  /** A name that ends with NUL. */
  private static byte[] name(MemorySegment body, long from) {
    long end = from;
    while (body.get(ValueLayout.JAVA_BYTE, end) != 0) {
      end++;
    }
    return body.asSlice(from, end - from).toArray(ValueLayout.JAVA_BYTE);
  }

  /** Room for the payload behind the answer's header. */
  private MemorySegment payload(long bytes) {
    long needed = Wire.OUT_HEADER_BYTES + bytes;
    if (out.byteSize() < needed) {
      Arena larger = Arena.ofConfined();
      out = larger.allocate(needed, Long.BYTES);
      outArena.close();
      outArena = larger;
    }
    return out.asSlice(Wire.OUT_HEADER_BYTES, bytes);
  }

  private void reply(long unique, long payload) {
    long length = Wire.OUT_HEADER_BYTES + Math.max(payload, 0);
    out.set(JAVA_INT_UNALIGNED, 0, (int) length);
    out.set(JAVA_INT_UNALIGNED, 4, (int) Math.min(payload, 0));
    out.set(JAVA_LONG_UNALIGNED, 8, unique);
    try {
      server.device().write(out.asSlice(0, length));
    } catch (LinuxException e) {
      // Else whoever asked was interrupted, or the file system is gone.
      if (e.errno().number() != Errno.ENOENT && e.errno().number() != Errno.ENODEV) {
        LOG.atWarn()
            .addKeyValue("mount", server.mountPoint())
            .addKeyValue("reason", e.getMessage())
            .log("the kernel did not take an answer");
      }
    }
  }

  @Override
  public void close() {
    inArena.close();
    outArena.close();
  }
}
