package io.lamina.layers.overlay;

import io.lamina.layers.IdMaps;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayersException;
import io.lamina.linux.CopyBuffer;
import io.lamina.linux.Directory;
import io.lamina.linux.FileStatus;
import io.lamina.linux.LinuxException;
import io.lamina.linux.OpenFile;
import io.lamina.linux.RawName;
import io.lamina.linux.Resolution;
import io.lamina.linux.TreeDeletion;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The folder of the layers on the disk. A layer appears and disappears by one rename. Directories
 * are opened anew each time, as engines mount over them. Thread-safe for different layers.
 *
 * <p>Source: docs/layers.md, "On the disk".
 */
final class LayerFiles {
  static final String DIFF = "diff";
  static final String WORK = "work";
  static final String MERGED = "merged";
  static final String THIN = "thin";

  private static final String RECORD = "layer.json";
  private static final String LAYERS = "layers";
  private static final String MAKING = "tmp";
  private static final String TRASH = "trash";
  private static final String FORMAT = "format.json";
  private static final String VERSION = "{\"version\":1}";
  private static final int MAX_FORMAT_BYTES = 4096;
  private static final int MAX_LAYERS = 1_000_000;

  private final Path home;
  private final int rootUid;
  private final int rootGid;

  LayerFiles(Path home, IdMaps ids) {
    this.home = home;
    this.rootUid = ids.userOnHost(0);
    this.rootGid = ids.groupOnHost(0);
  }

  /**
   * Makes what is missing, and removes what an earlier process was about to make.
   *
   * @throws LayersException.Conflict if a later version of this program has used the folder
   */
  void prepare() {
    try {
      Files.createDirectories(home);
      try (Directory directory = Directory.open(home)) {
        protect(directory, ".");
        for (String name : List.of(LAYERS, MAKING, TRASH)) {
          if (directory.status(RawName.of(name)).isEmpty()) {
            directory.makeDirectory(RawName.of(name));
          }
          protect(directory, name);
        }
        checkVersion(directory);
        discardHalfMade(directory);
      }
    } catch (IOException e) {
      throw new LayersException.Failed("the folder of layers " + home + " cannot be made: " + e, e);
    } catch (LinuxException e) {
      throw failed("the folder of layers " + home + " cannot be used", e);
    }
  }

  private void protect(Directory directory, String name) {
    directory.changeOwner(RawName.of(name), 0, rootGid);
    directory.changePermissions(RawName.of(name), 0710);
  }

  private void checkVersion(Directory directory) throws IOException {
    if (directory.status(RawName.of(FORMAT)).isEmpty()) {
      write(directory, FORMAT, RawName.of(VERSION));
    }
    String found =
        new String(read(directory, FORMAT, MAX_FORMAT_BYTES), StandardCharsets.UTF_8).strip();
    if (!found.equals(VERSION)) {
      throw new LayersException.Conflict(
          home
              + " was written by another version of this program: its "
              + FORMAT
              + " is not "
              + VERSION);
    }
  }

  private static void discardHalfMade(Directory home) {
    try (Directory making = home.openDirectory(RawName.of(MAKING), Resolution.NO_SYMLINKS)) {
      List<byte[]> names = new ArrayList<>();
      making.list(MAX_LAYERS).forEach(entry -> names.add(entry.name()));
      names.forEach(name -> TreeDeletion.delete(making, name));
    }
  }

  Path home() {
    return home;
  }

  Path trash() {
    return home.resolve(TRASH);
  }

  Path layers() {
    return home.resolve(LAYERS);
  }

  Path path(LayerId id, String part) {
    return home.resolve(LAYERS).resolve(id.text()).resolve(part);
  }

  /** A part of a layer; to be closed. */
  Directory open(LayerId id, String part) {
    return Directory.open(path(id, part));
  }

  /**
   * The records of all layers; those that cannot be read stay where they are. Read by the JDK's own
   * means, which are faster than system calls of ours while the program has just started.
   */
  List<LayerRecord> load(Consumer<LayersException> broken) {
    List<LayerRecord> records = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(layers())) {
      for (Path layer : found) {
        try {
          LayerId id = new LayerId(layer.getFileName().toString());
          records.add(LayerRecordJson.read(id, readRecord(layer.resolve(RECORD))));
        } catch (LayersException e) {
          broken.accept(e);
        } catch (IOException e) {
          broken.accept(
              new LayersException.Failed("the layer in " + layer + " cannot be read: " + e, e));
        }
      }
      return records;
    } catch (IOException | DirectoryIteratorException e) {
      throw new LayersException.Failed("the layers in " + layers() + " cannot be listed: " + e, e);
    }
  }

  private static byte[] readRecord(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] content = in.readNBytes(LayerRecordJson.MAX_BYTES + 1);
      if (content.length > LayerRecordJson.MAX_BYTES) {
        throw new IOException("longer than " + LayerRecordJson.MAX_BYTES + " bytes");
      }
      return content;
    }
  }

  /**
   * Makes a layer's directories and shows them under its id.
   *
   * @param bound what bounds the layer's size, done to its empty directory
   * @throws LayersException.Conflict if there is one of this id on the disk
   */
  void make(LayerRecord record, Consumer<Directory> bound) {
    byte[] name = RawName.of(record.id().text());
    try (Directory making = Directory.open(home.resolve(MAKING));
        Directory layers = Directory.open(layers())) {
      try {
        making.makeDirectory(name);
        making.changeOwner(name, 0, rootGid);
        making.changePermissions(name, 0710);
        try (Directory layer = making.openDirectory(name, Resolution.NO_SYMLINKS)) {
          bound.accept(layer);
          make(layer, DIFF, 0755);
          make(layer, WORK, 0700);
          write(layer, RECORD, LayerRecordJson.write(record));
        }
        making.renameToFree(name, layers, name);
      } catch (LinuxException.AlreadyExists e) {
        throw new LayersException.Conflict(
            "a folder of layer " + record.id() + " exists already: " + e.getMessage());
      } finally {
        TreeDeletion.delete(making, name);
      }
    } catch (IOException e) {
      throw new LayersException.Failed("layer " + record.id() + " cannot be made: " + e, e);
    } catch (LinuxException e) {
      throw failed("layer " + record.id() + " cannot be made", e);
    }
  }

  private void make(Directory layer, String part, int permissions) {
    byte[] name = RawName.of(part);
    layer.makeDirectory(name);
    layer.changeOwner(name, rootUid, rootGid);
    layer.changePermissions(name, permissions);
  }

  /** Makes one more directory in a layer, with nothing in it, unless it is there. */
  void makePart(LayerId id, String part, int permissions) {
    try (Directory layer = open(id, ".")) {
      if (layer.status(RawName.of(part)).isEmpty()) {
        make(layer, part, permissions);
      }
    } catch (LinuxException e) {
      throw failed("layer " + id + " cannot be changed", e);
    }
  }

  /** Replaces a layer's record. */
  void store(LayerRecord record) {
    try (Directory layer = open(record.id(), ".")) {
      write(layer, RECORD, LayerRecordJson.write(record));
    } catch (IOException e) {
      throw new LayersException.Failed("layer " + record.id() + " cannot be recorded: " + e, e);
    } catch (LinuxException e) {
      throw failed("layer " + record.id() + " cannot be recorded", e);
    }
  }

  /**
   * Takes a layer out of sight.
   *
   * @return its name in the trash; empty if it was not there
   */
  Optional<String> discard(LayerId id) {
    byte[] name = RawName.of(id.text());
    try (Directory layers = Directory.open(layers());
        Directory trash = Directory.open(trash())) {
      for (int i = 0; ; i++) {
        String free = id.text() + "~" + i;
        try {
          layers.renameToFree(name, trash, RawName.of(free));
          return Optional.of(free);
        } catch (LinuxException.NotFound e) {
          return Optional.empty();
        } catch (LinuxException.AlreadyExists e) {
          if (i == MAX_LAYERS) {
            throw e;
          }
        }
      }
    } catch (LinuxException e) {
      throw failed("layer " + id + " cannot be removed", e);
    }
  }

  /** Names in the trash. */
  List<String> discarded() {
    try (Directory trash = Directory.open(trash())) {
      return trash.list(MAX_LAYERS).stream()
          .map(entry -> new String(entry.name(), StandardCharsets.UTF_8))
          .sorted()
          .toList();
    }
  }

  /** Deletes what {@link #discard} has put away. */
  void delete(String discarded) {
    try (Directory trash = Directory.open(trash())) {
      TreeDeletion.delete(trash, RawName.of(discarded));
    }
  }

  boolean isEmpty(LayerId id, String part) {
    try (Directory directory = open(id, part)) {
      return directory.list(MAX_LAYERS).isEmpty();
    }
  }

  private static void write(Directory directory, String name, byte[] content) throws IOException {
    byte[] fresh = RawName.of("." + name);
    TreeDeletion.delete(directory, fresh);
    try (CopyBuffer buffer = new CopyBuffer(Math.max(content.length, 1));
        OpenFile file = directory.createFile(fresh)) {
      System.arraycopy(content, 0, buffer.bytes(), 0, content.length);
      file.write(buffer, 0, content.length);
    }
    directory.rename(fresh, directory, RawName.of(name));
  }

  /** Reads a file that may not be longer than {@code maxBytes}. */
  static byte[] read(Directory directory, String name, int maxBytes) throws IOException {
    try (OpenFile file = directory.openFile(RawName.of(name))) {
      FileStatus status = file.status();
      if (!status.isRegular() || status.sizeBytes() > maxBytes) {
        throw new IOException(directory + "/" + name + " is no file of at most " + maxBytes);
      }
      int size = (int) status.sizeBytes();
      byte[] content = new byte[size];
      int done = 0;
      try (CopyBuffer buffer = new CopyBuffer(Math.max(size, 1))) {
        int n = size == 0 ? 0 : file.read(buffer, size);
        while (n > 0 && done < size) {
          System.arraycopy(buffer.bytes(), 0, content, done, n);
          done += n;
          n = done < size ? file.read(buffer, size - done) : 0;
        }
      }
      if (done < size) {
        throw new IOException(directory + "/" + name + " became shorter while it was read");
      }
      return content;
    }
  }

  static LayersException failed(String what, LinuxException e) {
    String message = what + ": " + e.getMessage();
    return switch (e) {
      case LinuxException.NoSpace full -> new LayersException.Exhausted(message, full);
      case LinuxException.NotSupported none -> new LayersException.NotSupported(message, none);
      case LinuxException.NotFound other -> new LayersException.Failed(message, other);
      case LinuxException.AlreadyExists other -> new LayersException.Failed(message, other);
      case LinuxException.Refused other -> new LayersException.Failed(message, other);
      case LinuxException.Failed other -> new LayersException.Failed(message, other);
    };
  }
}
