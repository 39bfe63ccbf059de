package io.lamina.converter.layer;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.compression.Compression;
import io.lamina.cvmfs.tree.CatalogTreeReader;
import io.lamina.cvmfs.tree.FileTree;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.layer.LayerLimits;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** Builds layers with an independent tar writer, converts them, and reads the catalogs back. */
public final class Layers {
  public static final long TIME = 1_750_000_000L;
  static final RepositoryPath MOUNT = RepositoryPath.of("/.layers/ab/abcd/layerfs");

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, "ISO-8859-1");

  public Layers() {
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
  }

  /** An entry to be changed before it is added. */
  public interface Change {
    void apply(TarArchiveEntry entry);
  }

  private Layers add(String name, byte type, byte[] content, Change change) {
    TarArchiveEntry entry = new TarArchiveEntry(name, type, true);
    entry.setModTime(1_700_000_000_000L);
    entry.setMode(type == '5' ? 0755 : 0644);
    entry.setUserId(0);
    entry.setGroupId(0);
    entry.setSize(content.length);
    change.apply(entry);
    try {
      tar.putArchiveEntry(entry);
      tar.write(content);
      tar.closeArchiveEntry();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  public Layers file(String name, byte[] content, Change change) {
    return add(name, (byte) '0', content, change);
  }

  public Layers file(String name, String content) {
    return file(name, content.getBytes(StandardCharsets.UTF_8), entry -> {});
  }

  public Layers dir(String name, Change change) {
    return add(name, (byte) '5', new byte[0], change);
  }

  public Layers dir(String name) {
    return dir(name, entry -> {});
  }

  public Layers symlink(String name, String target) {
    return add(name, (byte) '2', new byte[0], entry -> entry.setLinkName(target));
  }

  public Layers link(String name, String target) {
    return add(name, (byte) '1', new byte[0], entry -> entry.setLinkName(target));
  }

  public Layers device(String name, char type, int major, int minor) {
    return add(
        name,
        (byte) type,
        new byte[0],
        entry -> {
          entry.setDevMajor(major);
          entry.setDevMinor(minor);
        });
  }

  public Layers fifo(String name) {
    return add(name, (byte) '6', new byte[0], entry -> {});
  }

  public byte[] tar() {
    try {
      tar.finish();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  public static Digest sha256(byte[] content) {
    try {
      return Digest.ofBytes(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  public static PipelineSettings settings(int threads) {
    return new PipelineSettings(
        new Compression(Compression.Engine.JDK, 1),
        HashAlgorithm.SHA1,
        new ChunkSizes(1 << 18, 1 << 19, 1 << 20),
        threads,
        8 << 20,
        3);
  }

  public static ConvertedLayer convert(byte[] tar, ObjectSink sink, int threads) {
    return convert(tar, MOUNT, sink, threads);
  }

  public static ConvertedLayer convert(
      byte[] tar, RepositoryPath mount, ObjectSink sink, int threads) {
    LayerDescriptor layer =
        new LayerDescriptor(
            new Descriptor("application/vnd.oci.image.layer.v1.tar", sha256(tar), tar.length),
            sha256(tar));
    try (ObjectPipeline pipeline = new ObjectPipeline(settings(threads))) {
      return new LayerConverter(pipeline, LayerLimits.DEFAULT)
          .convert(
              new LayerWork(layer, mount, TIME), new ByteArrayInputStream(tar), sink, read -> {});
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A converted layer as its catalogs tell it. */
  public record Result(ConvertedLayer layer, MemorySink sink, Map<String, CatalogEntry> entries) {
    public CatalogEntry at(String path) {
      CatalogEntry entry = entries.get(path);
      if (entry == null) {
        throw new AssertionError("no " + path + " among " + entries.keySet());
      }
      return entry;
    }

    public byte[] content(String path) {
      CatalogEntry entry = at(path);
      ContentHash hash = entry.hash();
      return hash == null
          ? new byte[0]
          : switch (entry.compression()) {
            case NONE -> sink.object(ObjectKind.FILE, hash);
            case ZLIB -> inflate(sink.object(ObjectKind.FILE, hash));
          };
    }

    public long count(ConversionReport.Decision decision) {
      return layer.report().counts().getOrDefault(decision, 0L);
    }
  }

  public static Result converted(byte[] tar) {
    MemorySink sink = new MemorySink();
    ConvertedLayer layer = convert(tar, sink, 2);
    return new Result(layer, sink, entries(layer.graft(), sink));
  }

  /** Paths without leading slash, names one character a byte; the root is empty. */
  public static Map<String, CatalogEntry> entries(Graft graft, MemorySink sink) {
    FileTree tree = new FileTree(1_000_000, CatalogEntry.directory(0, 0, 0, 0));
    new CatalogTreeReader(hash -> inflate(sink.object(ObjectKind.CATALOG, hash)))
        .load(tree, graft.path(), graft.catalog());
    Map<String, CatalogEntry> entries = new LinkedHashMap<>();
    tree.forEach(
        (path, entry) -> {
          String name = new String(path.bytes(), StandardCharsets.ISO_8859_1);
          entries.put(name.isEmpty() ? "" : name.substring(1), entry);
        });
    return entries;
  }

  public static byte[] inflate(byte[] stored) {
    Inflater inflater = new Inflater();
    inflater.setInput(stored);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    byte[] buffer = new byte[1 << 16];
    try {
      while (!inflater.finished()) {
        out.write(buffer, 0, inflater.inflate(buffer));
      }
    } catch (DataFormatException e) {
      throw new AssertionError(e);
    } finally {
      inflater.end();
    }
    return out.toByteArray();
  }

  public static SortedMap<String, String> xattrs(CatalogEntry entry) {
    SortedMap<String, String> texts = new TreeMap<>();
    entry
        .xattrs()
        .asMap()
        .forEach((name, value) -> texts.put(name, new String(value, StandardCharsets.ISO_8859_1)));
    return texts;
  }
}
