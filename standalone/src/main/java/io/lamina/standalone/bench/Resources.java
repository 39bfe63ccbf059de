package io.lamina.standalone.bench;

import com.sun.management.GarbageCollectionNotificationInfo;
import com.sun.management.GcInfo;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import javax.management.ListenerNotFoundException;
import javax.management.Notification;
import javax.management.NotificationEmitter;
import javax.management.NotificationListener;
import javax.management.openmbean.CompositeData;

/**
 * Watches what this process takes from {@link #begin} to {@link #end}: time, processor time of all
 * its threads, memory. For one thread, one measurement at a time in a process.
 */
public final class Resources {
  private static final Path CLEAR = Path.of("/proc/self/clear_refs");
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final String RESET_PEAK = "5";
  private static final String PEAK_LINE = "VmHWM:";

  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final Set<String> HEAP =
      ManagementFactory.getMemoryPoolMXBeans().stream()
          .filter(pool -> pool.getType() == MemoryType.HEAP)
          .map(MemoryPoolMXBean::getName)
          .collect(Collectors.toUnmodifiableSet());

  /**
   * What was taken.
   *
   * @param nanos on the clock
   * @param cpuNanos of all threads, the collector's and the compiler's included
   * @param peakHeapBytes most that was used when a collection began or at the end, garbage included
   * @param liveHeapBytes most that was left after a collection
   * @param peakResidentBytes most that the process had in memory, on Linux; what it had already
   *     before does not count as less
   */
  public record Used(
      long nanos,
      long cpuNanos,
      long peakHeapBytes,
      long liveHeapBytes,
      OptionalLong peakResidentBytes) {}

  private final AtomicLong live = new AtomicLong();
  private final AtomicLong peak = new AtomicLong();
  private final NotificationListener listener = (notification, _) -> collected(notification);
  private final boolean hasPeak;
  private final long startNanos;
  private final long startCpuNanos;

  private Resources() {
    System.gc();
    live.set(heapBytes());
    peak.set(live.get());
    emitters().forEach(emitter -> emitter.addNotificationListener(listener, null, null));
    this.hasPeak = resetPeak();
    this.startCpuNanos = SYSTEM.getProcessCpuTime();
    this.startNanos = System.nanoTime();
  }

  static Resources begin() {
    return new Resources();
  }

  Used end() {
    long nanos = System.nanoTime() - startNanos;
    long cpuNanos = SYSTEM.getProcessCpuTime() - startCpuNanos;
    for (NotificationEmitter emitter : emitters()) {
      try {
        emitter.removeNotificationListener(listener);
      } catch (ListenerNotFoundException e) {
        throw new IllegalStateException("measured twice", e);
      }
    }
    return new Used(
        nanos,
        cpuNanos,
        Math.max(peak.get(), heapBytes()),
        live.get(),
        hasPeak ? peakResident() : OptionalLong.empty());
  }

  private static long heapBytes() {
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  private static List<NotificationEmitter> emitters() {
    return ManagementFactory.getGarbageCollectorMXBeans().stream()
        .filter(NotificationEmitter.class::isInstance)
        .map((GarbageCollectorMXBean bean) -> (NotificationEmitter) bean)
        .toList();
  }

  private void collected(Notification notification) {
    if (notification
        .getType()
        .equals(GarbageCollectionNotificationInfo.GARBAGE_COLLECTION_NOTIFICATION)) {
      GcInfo collection =
          GarbageCollectionNotificationInfo.from((CompositeData) notification.getUserData())
              .getGcInfo();
      peak.accumulateAndGet(heapBytes(collection.getMemoryUsageBeforeGc()), Math::max);
      live.accumulateAndGet(heapBytes(collection.getMemoryUsageAfterGc()), Math::max);
    }
  }

  private static long heapBytes(Map<String, MemoryUsage> pools) {
    return pools.entrySet().stream()
        .filter(pool -> HEAP.contains(pool.getKey()))
        .mapToLong(pool -> pool.getValue().getUsed())
        .sum();
  }

  /** Whether the system has such a thing. */
  private static boolean resetPeak() {
    try {
      Files.writeString(CLEAR, RESET_PEAK, StandardOpenOption.WRITE);
      return true;
    } catch (IOException | SecurityException e) {
      // Not Linux, or a container that hides it: the figure is left out.
      return false;
    }
  }

  private static OptionalLong peakResident() {
    try {
      return Files.readAllLines(STATUS).stream()
          .filter(line -> line.startsWith(PEAK_LINE))
          .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10)
          .findFirst();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
