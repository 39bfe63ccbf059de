package io.lamina.node;

import io.lamina.node.graphdriver.DriverException;
import io.lamina.node.graphdriver.DriverProbe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/**
 * Tries the driver out where it is to run, in folders of its own: made, filled, mounted and taken
 * away as an engine would. Stateless.
 */
public final class NodeCheck {
  private static final byte[] EMPTY_ARCHIVE = new byte[1024];

  private NodeCheck() {}

  /**
   * @throws DriverException if this host cannot run it, with the reason
   */
  public static void run(NodeSettings settings, RandomGenerator random) {
    Path folder = settings.state().resolve("check-" + Long.toHexString(random.nextLong()));
    Path socketFolder = null;
    try {
      // A socket's path is short, a state folder's may be long.
      socketFolder = Files.createTempDirectory("lamina-check");
      NodeSettings own =
          settings.at(
              folder.resolve("state"), folder.resolve("run"), socketFolder.resolve("check.sock"));
      try (NodeProcess process = NodeProcess.start(own, random);
          DriverProbe probe = new DriverProbe(process.socket())) {
        exercise(probe);
      }
    } catch (IOException e) {
      throw new DriverException.Fatal("the check could not be made: " + e, e);
    } finally {
      delete(folder);
      if (socketFolder != null) {
        delete(socketFolder);
      }
    }
  }

  private static void exercise(DriverProbe probe) throws IOException {
    probe.call("/Plugin.Activate", new byte[0]);
    probe.call("Init", "{\"Home\":\"/check\",\"Opts\":null,\"UIDMaps\":null,\"GIDMaps\":null}");
    probe.call("Capabilities", "{}");
    probe.call("Create", "{\"ID\":\"image\"}");
    probe.call("/GraphDriver.ApplyDiff?id=image&parent=", EMPTY_ARCHIVE);
    probe.call("CreateReadWrite", "{\"ID\":\"container\",\"Parent\":\"image\"}");
    Path view = Path.of(probe.call("Get", "{\"ID\":\"container\"}").path("Dir").asText());
    Files.writeString(view.resolve("file"), "check");
    String changes = "{\"ID\":\"container\",\"Parent\":\"image\"}";
    if (probe.call("DiffSize", changes).path("Size").asLong() != "check".length()) {
      throw new DriverException.Fatal("a file that a container wrote is not found in its layer");
    }
    probe.call("Status", "{}");
    for (String id : List.of("container", "image")) {
      probe.call("Put", "{\"ID\":\"" + id + "\"}");
      probe.call("Remove", "{\"ID\":\"" + id + "\"}");
    }
    probe.call("Cleanup", "{}");
  }

  /** Nothing is mounted there any more. */
  private static void delete(Path folder) {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    } catch (IOException e) {
      throw new DriverException.Fatal(
          "the check's folder " + folder + " cannot be removed: " + e, e);
    }
  }
}
