package io.lamina.standalone.process;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.Stream;

/**
 * A network of its own for processes, as a far host has it: only what lines lead to can be reached.
 * Needs root and Debian's {@code iproute2}. For one thread.
 */
public final class NetworkNamespace implements AutoCloseable {
  private static final String TOOL = "ip";

  private final String name;
  private final int subnet;
  private int lines;

  private NetworkNamespace(long id) {
    this.name = "lamina-" + id;
    this.subnet = (int) (id % 250);
  }

  /** Skips the test where no network can be made. */
  public static NetworkNamespace create() {
    assumeTrue("root".equals(System.getProperty("user.name")), "making a network needs root");
    assumeTrue(isInstalled(), "making a network needs Debian's iproute2");
    NetworkNamespace made = new NetworkNamespace(ProcessHandle.current().pid());
    ip("netns", "add", made.name);
    ip("-n", made.name, "link", "set", "lo", "up");
    return made;
  }

  private static boolean isInstalled() {
    try {
      ip("-V");
      return true;
    } catch (UncheckedIOException e) {
      return false;
    }
  }

  /** What a command begins with to run in it. */
  public List<String> wrapper() {
    return List.of(TOOL, "netns", "exec", name);
  }

  /** Another line between this machine's network and this one. */
  public Line line() {
    int number = lines++;
    String here = "lm" + subnet + "h" + number;
    String there = "lm" + subnet + "t" + number;
    String prefix = "10.213." + subnet + ".";
    Line line = new Line(here, prefix + (4 * number + 1));
    ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name);
    ip("address", "add", line.address + "/30", "dev", here);
    ip("-n", name, "address", "add", prefix + (4 * number + 2) + "/30", "dev", there);
    ip("-n", name, "link", "set", there, "up");
    line.mend();
    return line;
  }

  /** Two ends of a cable. */
  public static final class Line {
    private final String device;
    private final String address;

    private Line(String device, String address) {
      this.device = device;
      this.address = address;
    }

    /** Of this machine, as it is reached over the line. */
    public String address() {
      return address;
    }

    /** Packets are lost in both directions; nobody is told. */
    public void cut() {
      ip("link", "set", device, "down");
    }

    public void mend() {
      ip("link", "set", device, "up");
    }
  }

  private static void ip(String... arguments) {
    Tool.run(Stream.concat(Stream.of(TOOL), Stream.of(arguments)).toArray(String[]::new));
  }

  /** Takes its lines with it. */
  @Override
  public void close() {
    ip("netns", "delete", name);
  }
}
