package io.lamina.linux;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * An overlay of open directories. Immutable; the directories stay the caller's and are needed only
 * until it is mounted.
 *
 * <p>Directories are handed over by descriptor, so neither the length of their paths nor characters
 * in them matter, and what was checked is what is mounted. Source: Documentation/filesystems/
 * overlayfs.rst.
 *
 * @param lowers read-only layers, the topmost first; two or more if there is no {@code upper}
 * @param upper where changes go; null for a read-only overlay
 * @param work an empty directory on the file system of {@code upper}; null without one
 * @param options of the file system; those with an empty value are flags
 */
public record Overlay(
    List<Directory> lowers,
    @Nullable Directory upper,
    @Nullable Directory work,
    SortedMap<String, String> options) {
  /** The kernel's limit of lower layers. */
  public static final int MAX_LOWERS = 500;

  /** How the layers are told to the kernel. */
  public enum Method {
    /** By descriptor: Linux 6.13. */
    DESCRIPTORS,
    /** One by one, by short names of the descriptors: Linux 6.8. */
    NAMES,
    /** In one text for {@code mount(2)}, which bounds its length. */
    CLASSIC
  }

  public Overlay {
    lowers = List.copyOf(lowers);
    options = Collections.unmodifiableSortedMap(new TreeMap<>(options));
    if ((upper == null) != (work == null)) {
      throw new IllegalArgumentException("an overlay has both an upper and a work directory");
    }
    if (lowers.size() < (upper == null ? 2 : 1) || lowers.size() > MAX_LOWERS) {
      throw new IllegalArgumentException(
          "an overlay of " + lowers.size() + " lower directories (at most " + MAX_LOWERS + ")");
    }
    for (Map.Entry<String, String> option : options.entrySet()) {
      if (!option.getKey().matches("[a-z_]+")
          || option.getValue().matches(".*[\"\\\\\\p{Cntrl}].*")) {
        throw new IllegalArgumentException("not an option of a mount: " + option.getKey());
      }
    }
  }

  /**
   * Mounts it over an existing directory.
   *
   * @throws LinuxException with the kernel's reason where it gives one
   */
  public void mountAt(Path target, Method method) {
    switch (method) {
      case DESCRIPTORS, NAMES -> mountByContext(target, method == Method.DESCRIPTORS);
      case CLASSIC -> mountClassic(target);
    }
  }

  private void mountByContext(Path target, boolean byDescriptor) {
    try (FileSystemContext context = new FileSystemContext("overlay")) {
      context.set("source", "overlay");
      for (Directory lower : lowers) {
        add(context, "lowerdir+", lower, byDescriptor);
      }
      if (upper != null && work != null) {
        add(context, "upperdir", upper, byDescriptor);
        add(context, "workdir", work, byDescriptor);
      }
      options.forEach(
          (key, value) -> {
            if (value.isEmpty()) {
              context.flag(key);
            } else {
              context.set(key, value);
            }
          });
      context.mountAt(target, upper == null);
    }
  }

  private static void add(
      FileSystemContext context, String key, Directory directory, boolean byDescriptor) {
    if (byDescriptor) {
      context.set(key, directory);
    } else {
      context.set(key, "/proc/self/fd/" + directory.number());
    }
  }

  /**
   * The text of options is short when it names the descriptors relative to the directory of
   * descriptors. A thread of its own goes there, so the process' directory does not change.
   */
  private void mountClassic(Path target) {
    StringBuilder data = new StringBuilder("lowerdir=");
    for (int i = 0; i < lowers.size(); i++) {
      data.append(i == 0 ? "" : ":").append(lowers.get(i).number());
    }
    if (upper != null && work != null) {
      data.append(",upperdir=").append(upper.number());
      data.append(",workdir=").append(work.number());
    }
    options.forEach((key, value) -> data.append(option(key, value)));
    OwnDirectoryThread.run(
        "/proc/self/fd",
        () -> {
          if (upper == null) {
            Mounts.mount(
                "overlay", target, "overlay", data.toString(), Mounts.Restriction.READ_ONLY);
          } else {
            Mounts.mount("overlay", target, "overlay", data.toString());
          }
        });
  }

  private static String option(String key, String value) {
    if (value.isEmpty()) {
      return "," + key;
    }
    return "," + key + "=" + (value.contains(",") ? "\"" + value + "\"" : value);
  }

  /** A thread whose working directory is not that of the process. */
  private static final class OwnDirectoryThread {
    private OwnDirectoryThread() {}

    static void run(String directory, Runnable task) {
      Throwable[] failure = new Throwable[1];
      Thread thread =
          Thread.ofPlatform()
              .name("mount")
              .start(
                  () -> {
                    try {
                      enter(directory);
                      task.run();
                    } catch (RuntimeException | Error e) {
                      failure[0] = e;
                    }
                  });
      boolean interrupted = false;
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          // A mount under way cannot be taken back, and its outcome must be known.
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      switch (failure[0]) {
        case null -> {}
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        default -> throw new IllegalStateException(failure[0]);
      }
    }

    private static void enter(String directory) {
      try (Arena arena = Arena.ofConfined()) {
        long result = Native.call(Call.UNSHARE, Flags.CLONE_FS);
        if (result == 0) {
          result = Native.call(Call.CHDIR, Native.text(arena, directory));
        }
        if (result < 0) {
          throw LinuxException.of("unshare and chdir to", directory, (int) -result);
        }
      }
    }
  }
}
