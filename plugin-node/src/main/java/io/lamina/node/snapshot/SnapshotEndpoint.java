package io.lamina.node.snapshot;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.lamina.node.host.HostSocket;
import io.lamina.node.snapshot.wire.SnapshotsGrpc;
import io.lamina.node.snapshot.wire.StatSnapshotRequest;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Snapshots on their socket. Closing it removes the socket, lets calls finish for a few seconds,
 * and unmounts nothing. Thread-safe.
 */
public final class SnapshotEndpoint implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SnapshotEndpoint.class);
  private static final Duration STOP = Duration.ofSeconds(3);
  private static final Duration START = Duration.ofSeconds(30);
  private static final int MAX_REQUEST_BYTES = 8 << 20;

  private final Server server;
  private final EventLoopGroup loop;
  private final SnapshotCalls calls;
  private final HostSocket socket;

  private SnapshotEndpoint(
      Server server, EventLoopGroup loop, SnapshotCalls calls, HostSocket socket) {
    this.server = server;
    this.loop = loop;
    this.calls = calls;
    this.socket = socket;
  }

  /**
   * Serves; returns when containerd can connect.
   *
   * @param maxCalls under way at once
   * @param deadline of each call
   * @throws SnapshotException.Failed if the socket cannot be had
   */
  public static SnapshotEndpoint start(
      LayerSnapshots snapshots,
      Path path,
      int maxCalls,
      Duration deadline,
      SnapshotObserver observer) {
    SnapshotCalls calls = new SnapshotCalls(maxCalls, deadline, observer);
    EventLoopGroup loop =
        new MultiThreadIoEventLoopGroup(
            1,
            Thread.ofPlatform().name("snapshot-loop-", 0).daemon().factory(),
            NioIoHandler.newFactory());
    try {
      HostSocket socket = new HostSocket(path);
      socket.prepare();
      Path hidden = socket.hidden();
      Server server =
          NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(hidden))
              .channelType(NioServerDomainSocketChannel.class)
              .bossEventLoopGroup(loop)
              .workerEventLoopGroup(loop)
              // Calls have threads of their own.
              .directExecutor()
              .maxInboundMessageSize(MAX_REQUEST_BYTES)
              .maxConcurrentCallsPerConnection(maxCalls)
              .addService(new SnapshotService(snapshots, calls))
              .build()
              .start();
      warmUp(hidden, loop);
      socket.shownFrom(hidden);
      LOG.atInfo().addKeyValue("socket", socket.path()).log("snapshots are served");
      return new SnapshotEndpoint(server, loop, calls, socket);
    } catch (IOException e) {
      calls.close();
      loop.shutdownGracefully(0, 0, TimeUnit.SECONDS);
      throw new SnapshotException.Failed("cannot serve snapshots: " + e.getMessage(), e);
    }
  }

  /**
   * Makes a first call, for which most classes are loaded. Containerd gives a new connection one
   * second, and says to its user that the snapshotter is away when that is not enough.
   */
  private static void warmUp(Path socket, EventLoopGroup loop) {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelType(NioDomainSocketChannel.class)
            .eventLoopGroup(loop)
            .usePlaintext()
            .directExecutor()
            .build();
    try {
      SnapshotsGrpc.newBlockingStub(channel)
          .withDeadlineAfter(START.toSeconds(), TimeUnit.SECONDS)
          .stat(StatSnapshotRequest.getDefaultInstance());
    } catch (StatusRuntimeException e) {
      // There is no snapshot without a name; whatever else it is, containerd will be told as well.
      LOG.atDebug().addKeyValue("status", e.getStatus()).log("first call was answered");
    } finally {
      channel.shutdownNow();
    }
  }

  /** Calls under way. */
  public int callsInUse() {
    return calls.inUse();
  }

  public Path socket() {
    return socket.path();
  }

  @Override
  public void close() {
    socket.remove();
    server.shutdown();
    try {
      if (!server.awaitTermination(STOP.toMillis(), TimeUnit.MILLISECONDS)) {
        server.shutdownNow();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      server.shutdownNow();
    }
    calls.close();
    loop.shutdownGracefully(0, STOP.toMillis(), TimeUnit.MILLISECONDS);
  }
}
