package io.lamina.layers.overlay;

import io.lamina.image.thin.CvmfsUrl;
import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayersException;
import io.lamina.linux.Directory;
import io.lamina.linux.LinuxException;
import io.lamina.linux.RawName;
import io.lamina.linux.Resolution;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Directories of a stack, opened, with the repositories that some lie in. Owned by one thread; the
 * leases may be taken over by who needs the repositories longer.
 */
final class OpenLowers implements AutoCloseable {
  private final List<Directory> directories = new ArrayList<>();
  private final Map<String, CvmfsRoots.Lease> leases = new LinkedHashMap<>();

  private OpenLowers() {}

  /**
   * @throws LayersException.Unavailable if a repository or a folder in it is not there
   */
  static OpenLowers open(List<Lower> lowers, LayerFiles files, CvmfsRoots roots) {
    OpenLowers open = new OpenLowers();
    try {
      for (Lower lower : lowers) {
        open.directories.add(
            switch (lower) {
              case Lower.Own own -> files.open(own.id(), LayerFiles.DIFF);
              case Lower.Descriptor thin -> files.open(thin.id(), LayerFiles.THIN);
              case Lower.Folder folder -> open.folder(folder.url(), roots);
            });
      }
      return open;
    } catch (LinuxException e) {
      open.close();
      throw LayerFiles.failed("a layer below cannot be opened", e);
    } catch (RuntimeException e) {
      open.close();
      throw e;
    }
  }

  private Directory folder(CvmfsUrl url, CvmfsRoots roots) {
    CvmfsRoots.Lease lease = leases.get(url.repository());
    if (lease == null) {
      lease = roots.acquire(url.repository());
      leases.put(url.repository(), lease);
    }
    try (Directory root = Directory.open(lease.root())) {
      return root.openDirectory(RawName.of(url.path()), Resolution.BENEATH);
    } catch (LinuxException.NotFound e) {
      throw new LayersException.Unavailable(
          url
              + " is not there: repository "
              + url.repository()
              + ", mounted at "
              + lease.root()
              + " in revision "
              + lease.revision()
              + ", has no such directory",
          e);
    } catch (LinuxException e) {
      throw new LayersException.Unavailable(url + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** The topmost first; closed with this. */
  List<Directory> directories() {
    return directories;
  }

  /** Hands the repositories over: they are not given back with this any more. */
  List<CvmfsRoots.Lease> takeLeases() {
    List<CvmfsRoots.Lease> taken = List.copyOf(leases.values());
    leases.clear();
    return taken;
  }

  @Override
  public void close() {
    directories.forEach(Directory::close);
    leases.values().forEach(CvmfsRoots.Lease::close);
    leases.clear();
  }
}
