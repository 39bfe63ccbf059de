package io.lamina.standalone.bench;

import com.sun.management.HotSpotDiagnosticMXBean;
import io.lamina.cvmfs.compression.Compression;
import io.lamina.image.layer.LayerReader;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Where figures were taken; without it they say nothing. Immutable.
 *
 * @param heapLimitBytes of this JVM
 * @param collectors the JVM's garbage collectors
 * @param hasLibdeflate whether objects can be compressed with libdeflate
 * @param hasIsal whether layers are unpacked with ISA-L
 * @param compression of objects: engine, level and what they make of a fixed text
 * @param fileSystem type of the file system that was written to
 * @param loadAverage of the last minute before the start, negative if unknown; above a few tenths,
 *     others were at work
 */
public record Environment(
    int cores,
    String system,
    String jdk,
    long heapLimitBytes,
    List<String> collectors,
    boolean hasLibdeflate,
    boolean hasIsal,
    String compression,
    String fileSystem,
    double loadAverage) {
  public Environment {
    collectors = List.copyOf(collectors);
  }

  /**
   * @param folder that will be written to
   */
  public static Environment here(Path folder, Compression compression) throws IOException {
    return new Environment(
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("os.name")
            + " "
            + System.getProperty("os.version")
            + " "
            + System.getProperty("os.arch"),
        System.getProperty("java.runtime.version"),
        heapLimit(),
        ManagementFactory.getGarbageCollectorMXBeans().stream()
            .map(GarbageCollectorMXBean::getName)
            .toList(),
        Compression.Engine.LIBDEFLATE.isAvailable(),
        LayerReader.usesIsal(),
        compression.identity(),
        Files.getFileStore(folder).type(),
        ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
  }

  /** As it was set; what the JVM says of itself leaves out a part that it copies through. */
  private static long heapLimit() {
    HotSpotDiagnosticMXBean hotSpot =
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    return hotSpot == null
        ? Runtime.getRuntime().maxMemory()
        : Long.parseLong(hotSpot.getVMOption("MaxHeapSize").getValue());
  }
}
