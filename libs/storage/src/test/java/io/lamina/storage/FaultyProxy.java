package io.lamina.storage;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;

/**
 * A TCP proxy that cuts connections: while a request is sent, or instead of its reply.
 *
 * <p>It also lets requests with {@code If-Match} through one at a time: the embedded service looks
 * at the condition first and writes then, which is no condition at all if two do it at once.
 */
final class FaultyProxy implements AutoCloseable {
  private static final Pattern IF_MATCH = Pattern.compile("(?i)\r\nif-match:");

  private final ServerSocket server;
  private final InetSocketAddress target;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final AtomicInteger repliesToLose = new AtomicInteger();
  private final AtomicInteger requestsToCut = new AtomicInteger();
  private final AtomicLong cutAfterBytes = new AtomicLong();
  private final Semaphore conditional = new Semaphore(1);

  FaultyProxy(int targetPort) throws IOException {
    target = new InetSocketAddress(InetAddress.getByName("127.0.0.1"), targetPort);
    server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    Thread.ofVirtual().start(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  /** The next so many PUT requests reach the service, but their replies never come back. */
  void loseRepliesToPuts(int count) {
    repliesToLose.set(count);
  }

  /** The next so many PUT requests are cut off after this many bytes. */
  void cutPuts(int count, long afterBytes) {
    cutAfterBytes.set(afterBytes);
    requestsToCut.set(count);
  }

  private void accept() {
    try {
      while (true) {
        Socket client = server.accept();
        Thread.ofVirtual().start(() -> serve(client));
      }
    } catch (IOException e) {
      // closed
    }
  }

  /** One connection; each read from the client that begins with PUT is a new request. */
  private void serve(Socket client) {
    sockets.add(client);
    AtomicBoolean holding = new AtomicBoolean();
    try (client;
        Socket upstream = new Socket(target.getAddress(), target.getPort())) {
      sockets.add(upstream);
      AtomicInteger losing = new AtomicInteger();
      Thread replies = Thread.ofVirtual().start(() -> replies(client, upstream, losing, holding));
      InputStream in = client.getInputStream();
      OutputStream out = upstream.getOutputStream();
      byte[] buffer = new byte[16 << 10];
      long cutAt = Long.MAX_VALUE;
      long sent = 0;
      int n;
      while ((n = in.read(buffer)) > 0) {
        if (new String(buffer, 0, Math.min(n, 4), StandardCharsets.ISO_8859_1).equals("PUT ")) {
          sent = 0;
          cutAt = take(requestsToCut) ? cutAfterBytes.get() : Long.MAX_VALUE;
          losing.set(take(repliesToLose) ? 1 : 0);
          if (IF_MATCH.matcher(new String(buffer, 0, n, StandardCharsets.ISO_8859_1)).find()) {
            conditional.acquire();
            holding.set(true);
          }
        }
        if (sent + n >= cutAt) {
          // Before the service hears of it: its answer to half a request must not come through.
          client.close();
          return;
        }
        sent += n;
        out.write(buffer, 0, n);
      }
      replies.join();
    } catch (IOException e) {
      // either side has gone
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      release(holding);
    }
  }

  private void release(AtomicBoolean holding) {
    if (holding.compareAndSet(true, false)) {
      conditional.release();
    }
  }

  private void replies(
      Socket client, Socket upstream, AtomicInteger losing, AtomicBoolean holding) {
    try {
      InputStream in = upstream.getInputStream();
      OutputStream out = client.getOutputStream();
      byte[] buffer = new byte[16 << 10];
      int n;
      while ((n = in.read(buffer)) > 0) {
        release(holding);
        if (losing.get() > 0) {
          client.close();
          return;
        }
        out.write(buffer, 0, n);
      }
    } catch (IOException e) {
      // either side has gone
    }
  }

  private static boolean take(AtomicInteger count) {
    return count.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
