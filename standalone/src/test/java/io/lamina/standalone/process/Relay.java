package io.lamina.standalone.process;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Brings TCP connections from one address to another, so that servers of loopback are reached over
 * a line under the port that they name themselves. Thread-safe.
 */
public final class Relay implements AutoCloseable {
  private final ServerSocket server;
  private final InetSocketAddress target;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

  private Relay(ServerSocket server, InetSocketAddress target) {
    this.server = server;
    this.target = target;
  }

  /** From a port of one address to the same port of another. */
  public static Relay start(String from, String to, int port) throws IOException {
    ServerSocket server = new ServerSocket(port, 50, InetAddress.getByName(from));
    Relay relay = new Relay(server, new InetSocketAddress(to, port));
    Thread.ofVirtual().start(relay::accept);
    return relay;
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket near = keep(server.accept());
        Thread.ofVirtual().start(() -> connect(near));
      } catch (IOException e) {
        // closed
      }
    }
  }

  private void connect(Socket near) {
    try {
      Socket far = keep(new Socket());
      far.connect(target);
      Thread.ofVirtual().start(() -> copy(far, near));
      copy(near, far);
    } catch (IOException e) {
      end(near);
    }
  }

  /** Until one of both ends; the other ends with it. */
  private void copy(Socket from, Socket to) {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      in.transferTo(out);
    } catch (IOException e) {
      // ended by the other direction
    }
    sockets.remove(from);
    sockets.remove(to);
  }

  private Socket keep(Socket socket) throws IOException {
    sockets.add(socket);
    if (server.isClosed()) {
      end(socket);
    }
    return socket;
  }

  private static void end(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // it is of no use any more
    }
  }

  /** Ends all connections. */
  @Override
  public void close() throws IOException {
    server.close();
    sockets.forEach(Relay::end);
  }
}
