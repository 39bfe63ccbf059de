package io.lamina.standalone.command;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** Keeps a server in the foreground until it is told to stop or cannot go on. */
final class Foreground {
  private Foreground() {}

  /**
   * Waits; closes {@code server} when the process is told to stop.
   *
   * @param stopped completes when the server ends by itself
   */
  static int run(AutoCloseable server, CompletableFuture<Void> stopped)
      throws InterruptedException {
    Thread hook =
        new Thread(
            () -> {
              try {
                server.close();
              } catch (Exception e) {
                System.err.println("lamina: did not stop cleanly: " + e.getMessage());
              }
            },
            "lamina-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      stopped.get();
      return ExitCode.OK.number();
    } catch (ExecutionException e) {
      throw new CommandException(ExitCode.UNAVAILABLE, "the process cannot go on: " + e.getCause());
    }
  }
}
