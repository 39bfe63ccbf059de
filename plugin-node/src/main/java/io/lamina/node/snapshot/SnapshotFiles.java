package io.lamina.node.snapshot;

import io.lamina.layers.LayerId;
import io.lamina.layers.LayersException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The records of snapshots: one file each, named by the layer, replaced by one rename. They are
 * flushed to the disk, as containerd flushes what it knows of them. Thread-safe for different
 * layers.
 *
 * <p>Source: docs/snapshotter.md, "On the disk".
 */
final class SnapshotFiles {
  private static final Logger LOG = LoggerFactory.getLogger(SnapshotFiles.class);
  private static final String SUFFIX = ".json";
  private static final String FRESH = ".";

  private final Path folder;

  /**
   * What was found.
   *
   * @param known layers that have a record, also one that cannot be read
   */
  record Loaded(List<SnapshotRecord> records, Set<LayerId> known) {}

  /**
   * @param folder made if absent
   */
  SnapshotFiles(Path folder) {
    this.folder = folder;
    try {
      Files.createDirectories(
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (IOException e) {
      throw new SnapshotException.Failed("the folder " + folder + " cannot be made: " + e, e);
    }
  }

  /** All records; what an earlier process was about to write is removed. */
  Loaded load() {
    List<SnapshotRecord> records = new ArrayList<>();
    Set<LayerId> known = new HashSet<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        if (name.startsWith(FRESH)) {
          Files.deleteIfExists(file);
        } else if (name.endsWith(SUFFIX)) {
          read(file, name.substring(0, name.length() - SUFFIX.length()), records, known);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      throw new SnapshotException.Failed("the records in " + folder + " cannot be read: " + e, e);
    }
    return new Loaded(records, known);
  }

  private static void read(
      Path file, String layer, List<SnapshotRecord> records, Set<LayerId> known) {
    try (InputStream in = Files.newInputStream(file)) {
      LayerId id = new LayerId(layer);
      known.add(id);
      byte[] content = in.readNBytes(SnapshotRecordJson.MAX_BYTES + 1);
      if (content.length > SnapshotRecordJson.MAX_BYTES) {
        throw new IOException("longer than " + SnapshotRecordJson.MAX_BYTES + " bytes");
      }
      records.add(SnapshotRecordJson.read(id, content));
    } catch (IOException | LayersException.Rejected e) {
      LOG.atError()
          .addKeyValue("file", file)
          .addKeyValue("reason", e.getMessage())
          .log("a snapshot's record cannot be read; it and its layer are left alone");
    }
  }

  /** Makes or replaces a record; it is on the disk on return. */
  void store(SnapshotRecord record) {
    String name = record.layer().text() + SUFFIX;
    Path fresh = folder.resolve(FRESH + name);
    try {
      try (FileChannel file =
          FileChannel.open(
              fresh,
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE,
              StandardOpenOption.TRUNCATE_EXISTING)) {
        ByteBuffer content = ByteBuffer.wrap(SnapshotRecordJson.write(record));
        while (content.hasRemaining()) {
          file.write(content);
        }
        file.force(true);
      }
      Files.move(fresh, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
      flushFolder();
    } catch (IOException e) {
      throw failed("the snapshot " + record.info().name() + " cannot be recorded", e);
    }
  }

  void delete(LayerId layer) {
    try {
      Files.deleteIfExists(folder.resolve(layer.text() + SUFFIX));
      flushFolder();
    } catch (IOException e) {
      throw failed("the record of layer " + layer + " cannot be removed", e);
    }
  }

  private void flushFolder() throws IOException {
    try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
      directory.force(true);
    }
  }

  private static SnapshotException failed(String what, IOException e) {
    String message = what + ": " + e;
    return String.valueOf(e.getMessage()).contains("No space left")
        ? new SnapshotException.Exhausted(message, e)
        : new SnapshotException.Failed(message, e);
  }
}
