package io.lamina.bench;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogProperties;
import io.lamina.cvmfs.catalog.CatalogWriter;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.compression.Compression;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.cvmfs.tree.CatalogTreeReader;
import io.lamina.cvmfs.tree.CatalogTreeSettings;
import io.lamina.cvmfs.tree.CatalogTreeWriter;
import io.lamina.cvmfs.tree.FileTree;
import io.lamina.cvmfs.tree.LayerMerge;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Catalogs are written, loaded and merged; the unit is one entry. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class CatalogBenchmark {
  private static final int ENTRIES = 20_000;

  /** Of the upper layer; half of them replace entries of the lower one. */
  private static final int UPPER_ENTRIES = 10_000;

  private final ObjectCompressor compressor = Compression.byDefault().newCompressor();
  private final CatalogTreeWriter writer =
      new CatalogTreeWriter(
          CatalogTreeSettings.of(HashAlgorithm.SHA1, Trees.TIME_SECONDS), compressor);
  private final RepositoryPath[] paths = new RepositoryPath[ENTRIES];
  private final Map<ContentHash, byte[]> catalogs = new HashMap<>();
  private final FileTree tree = Trees.of(0, ENTRIES, 1);
  private final Graft graft =
      writer.write(
          tree,
          Trees.MOUNT,
          (at, kind, catalog) ->
              catalogs.put(catalog.hash(), Decompression.inflate(catalog.bytes(), 1 << 28)),
          path -> {});

  @Setup(Level.Trial)
  public void namePaths() {
    for (int i = 0; i < ENTRIES; i++) {
      paths[i] = RepositoryPath.of(Trees.MOUNT + Trees.path(i).toString());
    }
  }

  @TearDown(Level.Trial)
  public void close() {
    compressor.close();
  }

  /** Rows alone: no tree, no compression. */
  @Benchmark
  @OperationsPerInvocation(ENTRIES)
  public byte[] writeRows() {
    CatalogWriter rows =
        new CatalogWriter(
            CatalogProperties.firstNested(Trees.MOUNT, Trees.TIME_SECONDS), Trees.directory());
    for (int i = 0; i < ENTRIES; i++) {
      rows.add(paths[i], Trees.file(i, 1));
    }
    return rows.finish();
  }

  /** A layer's tree becomes compressed catalogs, as at the end of its conversion. */
  @Benchmark
  @OperationsPerInvocation(ENTRIES)
  public Graft writeTree() {
    return writer.write(tree, Trees.MOUNT, (at, kind, catalog) -> {}, path -> {});
  }

  /** Catalogs become a tree, as at the beginning of a merge. */
  @Benchmark
  @OperationsPerInvocation(ENTRIES)
  public FileTree load() {
    FileTree loaded = new FileTree(FileTree.DEFAULT_MAX_ENTRIES, Trees.directory());
    new CatalogTreeReader(catalogs::get).load(loaded, Trees.MOUNT, graft.catalog());
    return loaded;
  }

  /** Two layers; merging uses them up. */
  @State(Scope.Thread)
  public static class Layers {
    private FileTree lower = Trees.of(0, 1, 1);
    private FileTree upper = Trees.of(0, 1, 1);

    @Setup(Level.Invocation)
    public void grow() {
      lower = Trees.of(0, ENTRIES, 1);
      upper = Trees.of(ENTRIES - UPPER_ENTRIES / 2, UPPER_ENTRIES, 2);
    }
  }

  /** A layer is laid over another one; counted in entries of the upper one. */
  @Benchmark
  @OperationsPerInvocation(UPPER_ENTRIES)
  public FileTree merge(Layers layers) {
    LayerMerge.overlay(layers.lower, layers.upper);
    return layers.lower;
  }
}
