package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.CvmfsException;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/** A repository's files in a map; remembers which were read. */
public final class MemoryRepositoryFiles implements ListableRepositoryFiles {
  private final Map<String, byte[]> files;
  private final Set<String> opened = Collections.synchronizedSet(new TreeSet<>());

  public MemoryRepositoryFiles(Map<String, byte[]> files) {
    this.files = new TreeMap<>(files);
  }

  public void put(String path, byte[] content) {
    files.put(path, content);
  }

  public void remove(String path) {
    files.remove(path);
  }

  public byte[] content(String path) {
    byte[] content = files.get(path);
    if (content == null) {
      throw new CvmfsException.NotFound("no file " + path + " in the map");
    }
    return content;
  }

  public Set<String> paths() {
    return new TreeSet<>(files.keySet());
  }

  public Set<String> opened() {
    return new TreeSet<>(opened);
  }

  @Override
  public InputStream open(String path) {
    opened.add(path);
    return new ByteArrayInputStream(content(path));
  }

  @Override
  public boolean exists(String path) {
    return files.containsKey(path);
  }

  @Override
  public void list(Consumer<Listed> sink) {
    Set<String> folders = new TreeSet<>();
    for (String path : files.keySet()) {
      for (int i = path.indexOf('/'); i > 0; i = path.indexOf('/', i + 1)) {
        if (folders.add(path.substring(0, i))) {
          sink.accept(new Listed(path.substring(0, i), Kind.FOLDER));
        }
      }
      sink.accept(new Listed(path, Kind.FILE));
    }
  }

  @Override
  public String toString() {
    return "memory";
  }
}
