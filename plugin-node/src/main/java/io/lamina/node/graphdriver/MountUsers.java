package io.lamina.node.graphdriver;

import io.lamina.linux.MountPoint;
import io.lamina.linux.MountTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** Who else has a file system mounted. Stateless. Source: man 7 mount_namespaces. */
public final class MountUsers {
  /** The number of the namespace that sees all processes; the same on all kernels. */
  private static final String ALL_PROCESSES = "pid:[4026531836]";

  private MountUsers() {}

  /**
   * Whether what is mounted at a path is mounted somewhere else too, as in a container or below
   * another path of the host. Copies of the host's own mount, as services have them, do not count.
   *
   * @return true also if this process does not see all others
   */
  public static boolean hasOthers(Path path) {
    if (!namespace("self", "pid").equals(Optional.of(ALL_PROCESSES))) {
      return true;
    }
    MountTable own = MountTable.read();
    Optional<MountPoint> mount = own.at(path);
    if (mount.isEmpty()) {
      return false;
    }
    String device = mount.get().device();
    if (isElsewhere(own, device, path)) {
      return true;
    }
    Set<String> seen = new HashSet<>();
    namespace("self", "mnt").ifPresent(seen::add);
    return ProcessHandle.allProcesses()
        .filter(
            process -> namespace(Long.toString(process.pid()), "mnt").map(seen::add).orElse(false))
        .anyMatch(
            process ->
                MountTable.of(process.pid())
                    .map(table -> isElsewhere(table, device, path))
                    .orElse(false));
  }

  private static boolean isElsewhere(MountTable table, String device, Path path) {
    return table.mounts().stream()
        .anyMatch(mount -> mount.device().equals(device) && !mount.path().equals(path.toString()));
  }

  private static Optional<String> namespace(String process, String kind) {
    try {
      return Optional.of(Files.readSymbolicLink(Path.of("/proc", process, "ns", kind)).toString());
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
