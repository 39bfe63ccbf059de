package io.lamina.client;

import io.lamina.client.failure.ClientException;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.reader.TrustedManifest;
import io.lamina.cvmfs.signing.SignedWhitelist;
import io.lamina.cvmfs.signing.Whitelist;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files that proved the last revision that was shown: manifest, whitelist and certificate, as
 * they came. They are proved again when they are read, by the same code; only the whitelist may
 * have expired, which is how a client without servers goes on. Not thread-safe.
 *
 * <p>Source: docs/client.md, "Without servers".
 */
final class StoredTrust {
  private static final Logger LOG = LoggerFactory.getLogger(StoredTrust.class);
  private static final int MAGIC = 0x4c54_5231; // LTR1
  private static final int MAX_FILES = 8;
  private static final int MAX_FILE_BYTES = 1 << 20;

  private final Path file;

  StoredTrust(Path folder) {
    this.file = folder.resolve("trusted");
  }

  /** A source that remembers what was read, for {@link #store}. */
  static final class Recorder implements RepositoryFiles {
    private final RepositoryFiles files;
    private final Map<String, byte[]> seen = new LinkedHashMap<>();

    Recorder(RepositoryFiles files) {
      this.files = files;
    }

    @Override
    public InputStream open(String path) {
      try (InputStream in = files.open(path)) {
        byte[] content = in.readNBytes(MAX_FILE_BYTES + 1);
        if (content.length > MAX_FILE_BYTES) {
          throw new CvmfsException.Corrupt(
              path + " of " + files + " has more than " + MAX_FILE_BYTES + " bytes");
        }
        seen.put(path, content);
        return new ByteArrayInputStream(content);
      } catch (IOException e) {
        throw new CvmfsException.Retryable(
            "cannot read " + path + " from " + files + ": " + e.getMessage(), e);
      }
    }

    @Override
    public boolean exists(String path) {
      return files.exists(path);
    }

    Map<String, byte[]> seen() {
      return seen;
    }

    @Override
    public String toString() {
      return files.toString();
    }
  }

  /** Writes what a recorder saw; whole or not at all, and on the disk when this returns. */
  void store(Map<String, byte[]> files) {
    Path next = file.resolveSibling("trusted.new");
    try {
      Files.createDirectories(file.getParent());
      try (FileChannel channel =
              FileChannel.open(
                  next,
                  StandardOpenOption.CREATE,
                  StandardOpenOption.TRUNCATE_EXISTING,
                  StandardOpenOption.WRITE);
          DataOutputStream out = new DataOutputStream(Channels.newOutputStream(channel))) {
        out.writeInt(MAGIC);
        out.writeInt(files.size());
        for (Map.Entry<String, byte[]> each : files.entrySet()) {
          out.writeUTF(each.getKey());
          out.writeInt(each.getValue().length);
          out.write(each.getValue());
        }
        out.flush();
        channel.force(true);
      }
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new ClientException.Broken("cannot write " + file, e);
    }
  }

  /**
   * What was stored last, proved again; empty if there is nothing that can be proved with these
   * keys.
   */
  Optional<TrustedManifest> load(ReaderSettings settings) {
    Map<String, byte[]> files;
    try {
      files = read();
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      LOG.atWarn().addKeyValue("file", file).setCause(e).log("cannot read the last revision");
      return Optional.empty();
    }
    try {
      Instant whenSigned =
          SignedWhitelist.parse(required(files, Whitelist.FILE_NAME)).unverified().createdAt();
      ReaderSettings atThatTime =
          new ReaderSettings(
              settings.repository(),
              settings.keys(),
              Clock.fixed(whenSigned, ZoneOffset.UTC),
              settings.environment(),
              settings.scratch(),
              settings.openCatalogBytes(),
              0);
      return Optional.of(TrustedManifest.fetch(new InMemory(files), atThatTime));
    } catch (CvmfsException e) {
      LOG.atWarn()
          .addKeyValue("file", file)
          .addKeyValue("reason", e.getMessage())
          .log("the last revision cannot be proved and is not used");
      return Optional.empty();
    }
  }

  private static byte[] required(Map<String, byte[]> files, String path) {
    byte[] content = files.get(path);
    if (content == null) {
      throw new CvmfsException.NotFound("no " + path + " was stored");
    }
    return content;
  }

  private Map<String, byte[]> read() throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
      if (in.readInt() != MAGIC) {
        throw new IOException("not a file of this client: " + file);
      }
      int count = in.readInt();
      if (count < 0 || count > MAX_FILES) {
        throw new IOException(count + " files in " + file);
      }
      for (int i = 0; i < count; i++) {
        String path = in.readUTF();
        int length = in.readInt();
        if (length < 0 || length > MAX_FILE_BYTES) {
          throw new IOException(length + " bytes for " + path + " in " + file);
        }
        files.put(path, in.readNBytes(length));
      }
    }
    return files;
  }

  private record InMemory(Map<String, byte[]> files) implements RepositoryFiles {
    @Override
    public InputStream open(String path) {
      return new ByteArrayInputStream(required(files, path));
    }

    @Override
    public boolean exists(String path) {
      return files.containsKey(path);
    }

    @Override
    public String toString() {
      return "the last revision";
    }
  }
}
