package io.lamina.converter.flat;

import io.lamina.converter.layer.ConversionReport;
import io.lamina.converter.layer.ConversionReport.Decision;
import io.lamina.converter.layer.Markers;
import io.lamina.converter.layer.ObjectPipeline;
import io.lamina.converter.layer.ObjectSink;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.tree.CatalogTreeReader;
import io.lamina.cvmfs.tree.FileTree;
import io.lamina.cvmfs.tree.LayerMerge;
import io.lamina.image.ImageException;
import io.lamina.messaging.event.WorkFigures;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;

/**
 * Merges an image's layers into one tree by their catalogs alone: no file is read, compressed or
 * stored again, but for a few small ones that runtimes want. The result depends on the work and the
 * pipeline's settings alone.
 *
 * <p>Memory: about 200 bytes for each entry of the image and of its two largest layers.
 * Thread-safe.
 *
 * <p>Source: docs/conversion.md, "Merged images".
 */
public final class FlatMerger {
  private static final ThreadFactory READERS =
      Thread.ofPlatform().daemon().name("flat-read-", 0).factory();

  private final ObjectPipeline pipeline;
  private final Function<ContentHash, byte[]> catalogs;
  private final int maxEntries;

  /**
   * @param pipeline not closed here
   * @param catalogs gives the decompressed, verified database of a catalog's object
   * @param maxEntries bound on the entries of an image, and of each layer
   */
  public FlatMerger(
      ObjectPipeline pipeline, Function<ContentHash, byte[]> catalogs, int maxEntries) {
    this.pipeline = pipeline;
    this.catalogs = catalogs;
    this.maxEntries = maxEntries;
  }

  /**
   * Merges an image; on return its catalogs are stored and durable.
   *
   * @throws ImageException.Rejected if the config cannot be read
   * @throws CvmfsException.Rejected if the merged tree is over a limit
   * @throws CvmfsException.Corrupt if a layer's catalog is damaged
   * @throws io.lamina.storage.StorageException from the sink
   * @throws InterruptedException if this thread was told to stop
   */
  public MergedImage merge(FlatWork work, ObjectSink sink) throws InterruptedException {
    RunSettings settings = RunSettings.of(work.config());
    try (ObjectPipeline.Session session = pipeline.open(sink)) {
      return new Run(work, session).merge(settings, sink);
    }
  }

  /** The merging of one image. */
  private final class Run {
    private final FlatWork work;
    private final ObjectPipeline.Session session;
    private final ConversionReport.Collector report = new ConversionReport.Collector();
    private final long startNanos = System.nanoTime();
    private final long startCpuNanos = cpuNanos();
    private final LongAdder readingCpuNanos = new LongAdder();
    private final FileTree image;

    Run(FlatWork work, ObjectPipeline.Session session) {
      this.work = work;
      this.session = session;
      this.image = new FileTree(maxEntries, Markers.without(madeUp()));
    }

    private CatalogEntry madeUp() {
      return Markers.implicitDirectory(work.timestampSeconds());
    }

    MergedImage merge(RunSettings settings, ObjectSink sink) throws InterruptedException {
      layAll();
      for (RuntimeFiles.Wanted wanted : RuntimeFiles.of(settings)) {
        add(wanted);
      }
      int entries = image.entries();
      Graft graft = pipeline.write(image, work.mount(), work.timestampSeconds(), session, report);
      sink.flush();
      ObjectPipeline.Figures figures = session.figures();
      return new MergedImage(
          graft,
          new WorkFigures(
              0,
              graft.total().fileSize(),
              entries,
              figures.objects(),
              figures.newObjects(),
              figures.newBytes(),
              cpuNanos() - startCpuNanos + readingCpuNanos.sum(),
              System.nanoTime() - startNanos),
          report.report());
    }

    /** Each layer is read while the one below it is laid. */
    private void layAll() throws InterruptedException {
      ExecutorService ahead = Executors.newSingleThreadExecutor(READERS);
      try {
        Deque<Future<FileTree>> reading = new ArrayDeque<>();
        for (Graft layer : work.layers()) {
          reading.add(ahead.submit(() -> read(layer)));
          if (reading.size() == 2) {
            lay(await(reading.remove()));
          }
        }
        while (!reading.isEmpty()) {
          lay(await(reading.remove()));
        }
      } finally {
        ahead.shutdownNow();
      }
    }

    private FileTree read(Graft layer) {
      long begin = cpuNanos();
      FileTree tree = new FileTree(maxEntries, madeUp());
      new CatalogTreeReader(catalogs).load(tree, layer.path(), layer.catalog());
      readingCpuNanos.add(cpuNanos() - begin);
      return tree;
    }

    private static FileTree await(Future<FileTree> tree) throws InterruptedException {
      try {
        return tree.get();
      } catch (ExecutionException e) {
        switch (e.getCause()) {
          case RuntimeException cause -> throw cause;
          case Error cause -> throw cause;
          case null, default -> throw new IllegalStateException(e);
        }
      }
    }

    /** Lays a layer over the image so far. */
    private void lay(FileTree upper) {
      new LinkedDirectories(image, report).settle(upper);
      List<JoinedLink> links = settleMarks(upper);
      LayerMerge.overlay(image, upper);
      for (JoinedLink link : links) {
        Optional<CatalogEntry> target = image.find(link.target);
        if (target.isPresent()
            && target.get().equals(link.file)
            && image.find(link.path).equals(target)) {
          image.link(link.target, link.path);
        }
      }
    }

    /** A hard link into a lower layer that found its file. */
    private record JoinedLink(RepositoryPath path, RepositoryPath target, CatalogEntry file) {}

    private record Marked(RepositoryPath path, CatalogEntry entry, boolean lowerShows) {}

    /** Puts in place of marked entries what they stand for, now that the layers below are known. */
    private List<JoinedLink> settleMarks(FileTree upper) {
      List<Marked> marked = new ArrayList<>();
      OpaqueAncestors hidden = new OpaqueAncestors();
      upper.forEach(
          (path, entry) -> {
            boolean hides = hidden.hides(path, entry);
            if (Markers.isMarked(entry)) {
              marked.add(new Marked(path, entry, !hides));
            }
          });
      List<JoinedLink> links = new ArrayList<>();
      for (Marked each : marked) {
        CatalogEntry plain = Markers.without(each.entry);
        Optional<byte[]> target = Markers.hardLinkTarget(each.entry);
        if (target.isPresent()) {
          CatalogEntry resolved = join(each.path, target.get(), plain, links);
          upper.put(each.path, resolved);
        } else {
          upper.put(each.path, each.lowerShows ? lowerDirectory(each.path, plain) : plain);
        }
      }
      return links;
    }

    /** The attributes that the directory has in the layers below, if it is one there. */
    private CatalogEntry lowerDirectory(RepositoryPath path, CatalogEntry madeUp) {
      return image.find(path).filter(CatalogEntry::isDirectory).orElse(madeUp);
    }

    private CatalogEntry join(
        RepositoryPath path, byte[] target, CatalogEntry symlink, List<JoinedLink> links) {
      RepositoryPath targetPath = absolute(target);
      Optional<CatalogEntry> file =
          image.find(targetPath).filter(entry -> !entry.isDirectory() && !targetPath.isRoot());
      if (file.isEmpty()) {
        report.add(Decision.LINK_INTO_LOWER_LAYER, path, "no layer has " + targetPath);
        return symlink;
      }
      report.add(Decision.LINK_RESOLVED, path, "links to " + targetPath);
      links.add(new JoinedLink(path, targetPath, file.get()));
      return file.get();
    }

    private RepositoryPath absolute(byte[] relative) {
      byte[] absolute = new byte[relative.length + 1];
      absolute[0] = '/';
      System.arraycopy(relative, 0, absolute, 1, relative.length);
      try {
        return RepositoryPath.ofBytes(absolute);
      } catch (CvmfsException.Rejected e) {
        throw new CvmfsException.Corrupt(
            "a layer's mark names no path: '" + display(relative) + "'", e);
      }
    }

    /** Adds what is wanted unless something has its path, and never through a link. */
    private void add(RuntimeFiles.Wanted wanted) {
      RepositoryPath path = RepositoryPath.of("/" + wanted.path());
      Optional<CatalogEntry> existing = image.find(path);
      if (existing.isPresent()) {
        boolean directoryWanted = wanted instanceof RuntimeFiles.Directory;
        if (directoryWanted && !existing.get().isDirectory()) {
          report.add(Decision.PATH_TAKEN, path, "is no directory in the image");
        }
        return;
      }
      if (image.find(path.parent()).filter(CatalogEntry::isDirectory).isEmpty()) {
        report.add(Decision.PATH_TAKEN, path, "its parent is no directory in the image");
        return;
      }
      long time = work.timestampSeconds();
      image.put(
          path,
          switch (wanted) {
            case RuntimeFiles.Directory it -> CatalogEntry.directory(it.permissions(), 0, 0, time);
            case RuntimeFiles.File it ->
                CatalogEntry.file(
                    session.storeNow(it.content()), it.content().length, it.permissions(), time);
            case RuntimeFiles.Link it ->
                CatalogEntry.symlink(it.target().getBytes(StandardCharsets.UTF_8), time);
          });
    }
  }

  private static String display(byte[] raw) {
    return new String(Arrays.copyOf(raw, Math.min(raw.length, 300)), StandardCharsets.UTF_8);
  }

  /** Of this thread; virtual threads have no clock of their own and count as idle. */
  private static long cpuNanos() {
    return Math.max(0, ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime());
  }
}
