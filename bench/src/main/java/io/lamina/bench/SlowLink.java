package io.lamina.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Relays TCP connections on loopback as one line of a given delay and rate would, for kernels that
 * cannot delay packets, and counts what comes down. All relayed ports share the line. It knows
 * nothing of packets: neither loss nor slow start.
 */
public final class SlowLink {
  private static final int READ_BYTES = 16 << 10;

  /** With {@link #READ_BYTES}: 4 MiB under way in each direction of a connection. */
  private static final int QUEUE = 256;

  private static final Piece END = new Piece(new byte[0], 0);

  private record Piece(byte[] bytes, long dueNanos) {}

  /** One direction of the line: pieces follow each other at its rate. */
  private static final class Line {
    private final long delayNanos;
    private final double nanosPerByte;
    private final AtomicLong bytes = new AtomicLong();
    private long freeAt = System.nanoTime();

    Line(long delayNanos, double nanosPerByte) {
      this.delayNanos = delayNanos;
      this.nanosPerByte = nanosPerByte;
    }

    /** When a piece sent now has arrived. */
    synchronized long send(int length) {
      bytes.addAndGet(length);
      freeAt = Math.max(freeAt, System.nanoTime()) + (long) (length * nanosPerByte);
      return freeAt + delayNanos;
    }
  }

  private final Line up;
  private final Line down;

  private SlowLink(long delayNanos, double nanosPerByte) {
    up = new Line(delayNanos, nanosPerByte);
    down = new Line(delayNanos, nanosPerByte);
  }

  /**
   * Runs until it is ended.
   *
   * @param arguments the file that shows how many bytes came down; milliseconds of delay in each
   *     direction; megabits a second, 0 for no bound; then {@code PORT=PORT}, where it listens and
   *     where it leads to, repeatable
   */
  public static void main(String[] arguments) throws Exception {
    if (arguments.length < 4) {
      throw new IllegalArgumentException("SlowLink FILE MILLISECONDS MEGABITS PORT=PORT…");
    }
    double megabits = Double.parseDouble(arguments[2]);
    SlowLink link =
        new SlowLink(
            TimeUnit.MILLISECONDS.toNanos(Long.parseLong(arguments[1])),
            megabits == 0 ? 0 : 8_000 / megabits);
    for (String ports : Arrays.asList(arguments).subList(3, arguments.length)) {
      String[] pair = ports.split("=", 2);
      link.listen(Integer.parseInt(pair[0]), Integer.parseInt(pair[1]));
    }
    Path file = Path.of(arguments[0]);
    while (true) {
      Path next = file.resolveSibling(file.getFileName() + ".next");
      Files.writeString(next, link.down.bytes.get() + "\n");
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  private void listen(int port, int target) throws IOException {
    ServerSocket server = new ServerSocket();
    server.setReuseAddress(true);
    server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    Thread.ofPlatform()
        .start(
            () -> {
              while (true) {
                try {
                  Socket client = server.accept();
                  Thread.ofVirtual().start(() -> relay(client, target));
                } catch (IOException e) {
                  throw new IllegalStateException("cannot accept connections at " + port, e);
                }
              }
            });
  }

  private void relay(Socket client, int target) {
    try (client;
        Socket server = new Socket(InetAddress.getLoopbackAddress(), target)) {
      client.setTcpNoDelay(true);
      server.setTcpNoDelay(true);
      // The client's connect() has returned already: its handshake is made up for here.
      TimeUnit.NANOSECONDS.sleep(up.delayNanos + down.delayNanos);
      Thread upward = Thread.ofVirtual().start(() -> carry(up, client, server));
      carry(down, server, client);
      upward.join();
    } catch (IOException e) {
      // One side is gone; closing tells the other.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void carry(Line line, Socket from, Socket to) {
    BlockingQueue<Piece> underWay = new ArrayBlockingQueue<>(QUEUE);
    Thread arriving = Thread.ofVirtual().start(() -> arrive(underWay, from, to));
    try {
      InputStream in = from.getInputStream();
      byte[] buffer = new byte[READ_BYTES];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        underWay.put(new Piece(Arrays.copyOf(buffer, n), line.send(n)));
      }
    } catch (IOException e) {
      // ends like an end
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    try {
      underWay.put(END);
      arriving.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void arrive(BlockingQueue<Piece> underWay, Socket from, Socket to) {
    boolean open = true;
    try {
      OutputStream out = to.getOutputStream();
      for (Piece piece = underWay.take(); piece != END; piece = underWay.take()) {
        long wait = piece.dueNanos() - System.nanoTime();
        if (wait > 0) {
          TimeUnit.NANOSECONDS.sleep(wait);
        }
        if (open) {
          try {
            out.write(piece.bytes());
          } catch (IOException e) {
            open = false; // what is under way is thrown away, and no more is wanted
            from.close();
          }
        }
      }
      to.shutdownOutput();
    } catch (IOException e) {
      // closed already
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
