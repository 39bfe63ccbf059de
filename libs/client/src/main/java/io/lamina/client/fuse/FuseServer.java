package io.lamina.client.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.lamina.client.failure.ClientException;
import io.lamina.linux.Errno;
import io.lamina.linux.LinuxException;
import io.lamina.linux.OpenFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file system that is mounted, and the threads that answer the kernel. Threads come as requests
 * wait and go when there is little to do. Ends when it is closed or unmounted by anybody. Thread-
 * safe.
 */
public final class FuseServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FuseServer.class);
  private static final int MAX_IDLE = 4;
  private static final long CLOSE_SECONDS = 10;

  private final Path mountPoint;
  private final FuseSettings settings;
  private final FuseFileSystem fileSystem;
  private final OpenFile device;
  private final AtomicInteger threads = new AtomicInteger();
  private final AtomicInteger idle = new AtomicInteger();
  private final AtomicInteger named = new AtomicInteger();
  private final AtomicBoolean isEnding = new AtomicBoolean();
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private volatile Negotiated negotiated = Negotiated.NOTHING;

  /**
   * What kernel and server agreed on.
   *
   * @param canExpire the kernel can ask again for a name without dropping what is below it
   * @param opensDirectories the kernel needs no answer to open a directory
   */
  record Negotiated(boolean canExpire, boolean opensDirectories) {
    static final Negotiated NOTHING = new Negotiated(false, false);
  }

  private FuseServer(
      Path mountPoint, FuseSettings settings, FuseFileSystem fileSystem, OpenFile device) {
    this.mountPoint = mountPoint;
    this.settings = settings;
    this.fileSystem = fileSystem;
    this.device = device;
  }

  /**
   * Mounts, and answers from the moment on.
   *
   * @throws ClientException.Rejected if this machine or user cannot mount there
   */
  public static FuseServer mount(
      Path mountPoint, FuseSettings settings, FuseFileSystem fileSystem) {
    OpenFile device = FuseMount.mount(mountPoint, settings);
    FuseServer server = new FuseServer(mountPoint, settings, fileSystem, device);
    server.startThread();
    return server;
  }

  public Path mountPoint() {
    return mountPoint;
  }

  /** Completes when the file system is unmounted, by whomever. */
  public CompletableFuture<Void> ended() {
    return ended.copy();
  }

  FuseSettings settings() {
    return settings;
  }

  FuseFileSystem fileSystem() {
    return fileSystem;
  }

  OpenFile device() {
    return device;
  }

  Negotiated negotiated() {
    return negotiated;
  }

  void agree(Negotiated result) {
    negotiated = result;
  }

  private void startThread() {
    threads.incrementAndGet();
    Thread.ofPlatform().daemon().name("lamina-fuse-" + named.incrementAndGet()).start(this::serve);
  }

  private void serve() {
    boolean isLast;
    try (FuseWorker worker = new FuseWorker(this)) {
      boolean goesOn = true;
      while (goesOn) {
        idle.incrementAndGet();
        int length;
        try {
          length = worker.receive();
        } finally {
          if (idle.decrementAndGet() == 0
              && threads.get() < settings.maxThreads()
              && !isEnding.get()) {
            startThread();
          }
        }
        if (length < 0) {
          isEnding.set(true);
          break;
        }
        worker.answer(length);
        goesOn = idle.get() < MAX_IDLE;
      }
    } catch (RuntimeException | Error e) {
      LOG.atError().addKeyValue("mount", mountPoint).setCause(e).log("a FUSE thread failed");
    } finally {
      isLast = threads.decrementAndGet() == 0;
    }
    if (isLast && isEnding.get()) {
      end();
    }
  }

  private void end() {
    device.close();
    try {
      fileSystem.destroyed();
    } finally {
      ended.complete(null);
    }
  }

  /** The kernel asks again for this name when it is next used. Harmless if it does not know it. */
  public void expire(long directory, byte[] name, boolean isPresent) {
    try (Arena arena = Arena.ofConfined()) {
      long length = Wire.OUT_HEADER_BYTES + 16 + name.length + 1L;
      MemorySegment message = notice(arena, Wire.NOTIFY_INVAL_ENTRY, length);
      message.set(JAVA_LONG_UNALIGNED, 16, directory);
      message.set(JAVA_INT_UNALIGNED, 24, name.length);
      // Where it can, the kernel keeps the name's subtree; one that is absent has none.
      boolean expires = isPresent && negotiated.canExpire();
      message.set(JAVA_INT_UNALIGNED, 28, expires ? Wire.EXPIRE_ONLY : 0);
      MemorySegment.copy(name, 0, message, ValueLayout.JAVA_BYTE, 32, name.length);
      send(message);
    }
  }

  /** The kernel forgets a node's attributes and pages, which for a directory are its entries. */
  public void invalidate(long node) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment message = notice(arena, Wire.NOTIFY_INVAL_INODE, Wire.OUT_HEADER_BYTES + 24L);
      message.set(JAVA_LONG_UNALIGNED, 16, node);
      send(message);
    }
  }

  private static MemorySegment notice(Arena arena, int code, long length) {
    MemorySegment message = arena.allocate(length);
    message.set(JAVA_INT_UNALIGNED, 0, (int) length);
    message.set(JAVA_INT_UNALIGNED, 4, code);
    return message;
  }

  private void send(MemorySegment message) {
    if (ended.isDone()) {
      return;
    }
    try {
      device.write(message);
    } catch (LinuxException e) {
      // Else the kernel does not know the node or the name: then it has nothing to forget.
      if (e.errno().number() != Errno.ENOENT && e.errno().number() != Errno.ENODEV) {
        LOG.atDebug()
            .addKeyValue("mount", mountPoint)
            .addKeyValue("reason", e.getMessage())
            .log("the kernel did not take a notice");
      }
    }
  }

  /**
   * Unmounts. If somebody still uses the file system it is taken away all the same: who has files
   * open gets errors from then on.
   */
  @Override
  public void close() {
    if (ended.isDone()) {
      return;
    }
    FuseMount.unmount(mountPoint);
    try {
      ended.get(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.atWarn()
          .addKeyValue("mount", mountPoint)
          .log("threads still answer requests of a file system that is gone");
    }
  }
}
