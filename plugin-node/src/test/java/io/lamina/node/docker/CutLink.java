package io.lamina.node.docker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Stands between an engine and its driver, and kills the driver at one call of the engine's. The
 * engine sees its connection end; connections that it makes meanwhile wait for the next driver.
 * Thread-safe.
 */
final class CutLink implements AutoCloseable {
  /** When the driver dies. */
  enum Moment {
    /** It never hears of the call. */
    BEFORE_THE_CALL,
    /** It has done it, or begun to send what it read. */
    BEFORE_THE_ANSWER
  }

  private record Cut(String call, Moment moment) {}

  private static final int BUFFER_BYTES = 64 << 10;
  private static final int LONGEST_CALL_CHARS = 64;
  private static final long PATIENCE_SECONDS = 120;

  private final Path driver;
  private final ServerSocketChannel server;
  private final Path socket;
  private final AtomicReference<Cut> next = new AtomicReference<>();

  /** Held exclusively while there is no driver. */
  private final ReentrantReadWriteLock running = new ReentrantReadWriteLock();

  private volatile Runnable restart = () -> {};
  private volatile CompletableFuture<Boolean> back = new CompletableFuture<>();

  CutLink(Path socket, Path driver) {
    this.socket = socket;
    this.driver = driver;
    try {
      Files.createDirectories(socket.getParent());
      Files.deleteIfExists(socket);
      server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      server.bind(UnixDomainSocketAddress.of(socket));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofPlatform().daemon().name("cut-link").start(this::accept);
  }

  /** The next time that the engine makes this call. */
  void cutAt(String call, Moment moment, Runnable restartDriver) {
    restart = restartDriver;
    back = new CompletableFuture<>();
    next.set(new Cut(call, moment));
  }

  /** Waits until the driver that was killed is back; whether there was a call to kill it at. */
  boolean hasCut() {
    return next.getAndSet(null) == null
        && back.orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).join();
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel engine = server.accept();
        Thread.ofPlatform().daemon().start(() -> connect(engine));
      }
    } catch (IOException e) {
      // Closed: the test is over.
    }
  }

  private void connect(SocketChannel engine) {
    running.readLock().lock();
    SocketChannel plugin;
    try {
      plugin = SocketChannel.open(StandardProtocolFamily.UNIX);
      plugin.connect(UnixDomainSocketAddress.of(driver));
    } catch (IOException e) {
      close(engine);
      return;
    } finally {
      running.readLock().unlock();
    }
    AtomicReference<Cut> answering = new AtomicReference<>();
    Thread.ofPlatform().daemon().start(() -> answers(plugin, engine, answering));
    calls(engine, plugin, answering);
    close(plugin);
    close(engine);
  }

  private void calls(SocketChannel engine, SocketChannel plugin, AtomicReference<Cut> answering) {
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
    String before = "";
    try {
      while (engine.read(buffer) >= 0) {
        buffer.flip();
        String seen = before + StandardCharsets.ISO_8859_1.decode(buffer.duplicate());
        Cut cut = next.get();
        if (cut != null && seen.contains("POST " + cut.call()) && next.compareAndSet(cut, null)) {
          switch (cut.moment()) {
            case BEFORE_THE_CALL -> {
              kill(plugin, engine);
              return;
            }
            case BEFORE_THE_ANSWER -> answering.set(cut);
          }
        }
        before = seen.substring(Math.max(0, seen.length() - LONGEST_CALL_CHARS));
        write(plugin, buffer);
      }
    } catch (IOException e) {
      // Either end is gone.
    }
  }

  private void answers(SocketChannel plugin, SocketChannel engine, AtomicReference<Cut> answering) {
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
    try {
      while (plugin.read(buffer) >= 0) {
        buffer.flip();
        if (answering.getAndSet(null) != null) {
          kill(plugin, engine);
          return;
        }
        write(engine, buffer);
      }
    } catch (IOException e) {
      // Either end is gone.
    }
    close(engine);
  }

  private void kill(SocketChannel plugin, SocketChannel engine) {
    running.writeLock().lock();
    try {
      // First the driver: an engine that sees the end of its connection asks again.
      restart.run();
      close(plugin);
      close(engine);
      back.complete(true);
    } catch (RuntimeException | AssertionError e) {
      back.completeExceptionally(e);
    } finally {
      running.writeLock().unlock();
    }
  }

  private static void write(SocketChannel to, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      to.write(buffer);
    }
    buffer.clear();
  }

  private static void close(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      server.close();
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
