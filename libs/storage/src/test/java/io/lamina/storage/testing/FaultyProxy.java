package io.lamina.storage.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;

/**
 * A TCP proxy before an HTTP service that breaks what goes through: it cuts requests and replies,
 * swallows or corrupts replies, delays everything, or is away. Thread-safe.
 *
 * <p>It also lets requests with {@code If-Match} through one at a time: the embedded S3 service
 * looks at the condition first and writes then, which is no condition at all if two do it at once.
 */
public final class FaultyProxy implements AutoCloseable {
  private static final Pattern REQUEST = Pattern.compile("(?:GET|HEAD|PUT|POST|DELETE|PATCH) ");
  private static final Pattern IF_MATCH = Pattern.compile("(?i)\r\nif-match:");

  /** Something that happens to the next so many requests, at this byte of each. */
  private static final class Trap {
    private final AtomicInteger left = new AtomicInteger();
    private final AtomicLong atByte = new AtomicLong();

    void set(int count, long newAtByte) {
      atByte.set(newAtByte);
      left.set(count);
    }

    /** Where the next one is caught; past every end if it is not. */
    long next() {
      return left.getAndUpdate(n -> Math.max(0, n - 1)) > 0 ? atByte.get() : Long.MAX_VALUE;
    }
  }

  private final ServerSocket server;
  private final InetSocketAddress target;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final Trap lostPuts = new Trap();
  private final Trap cutPuts = new Trap();
  private final Trap cutReplies = new Trap();
  private final Trap corruptReplies = new Trap();
  private final Semaphore conditional = new Semaphore(1);
  private volatile boolean isAway;
  private volatile Duration delay = Duration.ZERO;

  /**
   * @param targetPort of the service, on loopback
   */
  public FaultyProxy(int targetPort) throws IOException {
    target = new InetSocketAddress(InetAddress.getByName("127.0.0.1"), targetPort);
    server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    Thread.ofVirtual().start(this::accept);
  }

  public int port() {
    return server.getLocalPort();
  }

  /** The next so many PUT requests reach the service, but their replies never come back. */
  public void loseRepliesToPuts(int count) {
    lostPuts.set(count, 0);
  }

  /** The next so many PUT requests are cut off after this many bytes. */
  public void cutPuts(int count, long afterBytes) {
    cutPuts.set(count, afterBytes);
  }

  /** The next so many replies are cut off after this many bytes, headers included. */
  public void cutReplies(int count, long afterBytes) {
    cutReplies.set(count, afterBytes);
  }

  /** One bit of each of the next so many replies is another, if they are that long. */
  public void corruptReplies(int count, long atByte) {
    corruptReplies.set(count, atByte);
  }

  /** Ends all connections, and refuses new ones until {@link #comeBack}. */
  public void goAway() {
    isAway = true;
    sockets.forEach(FaultyProxy::close);
  }

  public void comeBack() {
    isAway = false;
  }

  /** From now on each piece of a request or reply takes so much longer. */
  public void delay(Duration newDelay) {
    delay = newDelay;
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

  /** What is to happen to the requests and replies of one connection. */
  private final class Exchange {
    private final AtomicBoolean holding = new AtomicBoolean();
    private volatile long cutRequestAt = Long.MAX_VALUE;
    private volatile long cutReplyAt = Long.MAX_VALUE;
    private volatile long corruptReplyAt = Long.MAX_VALUE;
    private long sent;
    private final AtomicLong replied = new AtomicLong();

    /** Each read from the client that begins like a request is one. */
    void begin(String head) throws InterruptedException {
      boolean isPut = head.startsWith("PUT ");
      sent = 0;
      replied.set(0);
      cutRequestAt = isPut ? cutPuts.next() : Long.MAX_VALUE;
      cutReplyAt = Math.min(isPut ? lostPuts.next() : Long.MAX_VALUE, cutReplies.next());
      corruptReplyAt = corruptReplies.next();
      if (IF_MATCH.matcher(head).find()) {
        conditional.acquire();
        holding.set(true);
      }
    }

    void release() {
      if (holding.compareAndSet(true, false)) {
        conditional.release();
      }
    }
  }

  private void serve(Socket client) {
    if (isAway) {
      close(client);
      return;
    }
    sockets.add(client);
    Exchange exchange = new Exchange();
    try (client;
        Socket upstream = new Socket(target.getAddress(), target.getPort())) {
      sockets.add(upstream);
      if (isAway) {
        return;
      }
      Thread replies = Thread.ofVirtual().start(() -> replies(client, upstream, exchange));
      InputStream in = client.getInputStream();
      OutputStream out = upstream.getOutputStream();
      byte[] buffer = new byte[16 << 10];
      int n;
      while ((n = in.read(buffer)) > 0) {
        pause();
        String head = new String(buffer, 0, n, StandardCharsets.ISO_8859_1);
        if (REQUEST.matcher(head).lookingAt()) {
          exchange.begin(head);
        }
        if (exchange.sent + n >= exchange.cutRequestAt) {
          // Before the service hears of it: its answer to half a request must not come through.
          client.close();
          return;
        }
        exchange.sent += n;
        out.write(buffer, 0, n);
      }
      replies.join();
    } catch (IOException e) {
      // either side has gone
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      exchange.release();
    }
  }

  private void replies(Socket client, Socket upstream, Exchange exchange) {
    try {
      InputStream in = upstream.getInputStream();
      OutputStream out = client.getOutputStream();
      byte[] buffer = new byte[16 << 10];
      int n;
      while ((n = in.read(buffer)) > 0) {
        exchange.release();
        pause();
        long from = exchange.replied.getAndAdd(n);
        long corrupt = exchange.corruptReplyAt - from;
        if (corrupt >= 0 && corrupt < n) {
          buffer[(int) corrupt] ^= 1;
        }
        long kept = exchange.cutReplyAt - from;
        if (kept < n) {
          out.write(buffer, 0, (int) Math.max(0, kept));
          client.close();
          return;
        }
        out.write(buffer, 0, n);
      }
    } catch (IOException e) {
      // either side has gone
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void pause() throws InterruptedException {
    TimeUnit.MILLISECONDS.sleep(delay.toMillis());
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // gone already
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    sockets.forEach(FaultyProxy::close);
  }
}
