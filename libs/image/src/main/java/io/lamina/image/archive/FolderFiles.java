package io.lamina.image.archive;

import io.lamina.image.ImageException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/** A layout's files in a folder; symbolic links are followed only while they stay inside. */
final class FolderFiles implements LayoutFiles {
  private final Path folder;

  /**
   * @throws ImageException.NotFound if there is no such folder
   */
  FolderFiles(Path folder) {
    try {
      this.folder = folder.toRealPath();
    } catch (NoSuchFileException e) {
      throw new ImageException.NotFound("there is no folder " + folder);
    } catch (IOException e) {
      throw new ImageException.Retryable("cannot read the folder " + folder, e, null);
    }
    if (!Files.isDirectory(this.folder)) {
      throw new ImageException.NotFound(
          folder + " is not a folder; for a tar file use oci-archive: or docker-archive:");
    }
  }

  @Override
  public Optional<Entry> find(String path) {
    try {
      Path file = folder.resolve(path).toRealPath();
      if (!file.startsWith(folder)) {
        throw new ImageException.Rejected(
            "the file " + path + " of " + folder + " is a link that leaves the folder");
      }
      if (!Files.isRegularFile(file)) {
        return Optional.empty();
      }
      return Optional.of(new FileEntry(file, Files.size(file)));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new ImageException.Retryable("cannot read " + path + " of " + folder, e, null);
    }
  }

  private record FileEntry(Path file, long sizeBytes) implements Entry {
    @Override
    public InputStream open() throws IOException {
      return Files.newInputStream(file);
    }
  }

  @Override
  public String where() {
    return folder.toString();
  }

  @Override
  public void close() {
    // Nothing is held open.
  }
}
