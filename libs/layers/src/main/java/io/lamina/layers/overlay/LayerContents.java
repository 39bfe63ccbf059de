package io.lamina.layers.overlay;

import io.lamina.image.ImageException;
import io.lamina.image.layer.TarEntries;
import io.lamina.image.thin.CvmfsUrl;
import io.lamina.image.thin.ThinDescriptor;
import io.lamina.image.thin.ThinDescriptorJson;
import io.lamina.layers.Change;
import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayerUsage;
import io.lamina.layers.LayersException;
import io.lamina.layers.StorageSettings;
import io.lamina.layers.archive.Cancellation;
import io.lamina.layers.archive.LayerPacker;
import io.lamina.layers.archive.LayerUnpacker;
import io.lamina.layers.tree.ChangeFinder;
import io.lamina.layers.tree.MergedDirectory;
import io.lamina.layers.tree.TreeSize;
import io.lamina.linux.Directory;
import io.lamina.linux.FileStatus;
import io.lamina.linux.LinuxException;
import io.lamina.linux.RawName;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedSet;
import org.jspecify.annotations.Nullable;

/**
 * Fills, packs and compares layers. Nothing here changes what is known of a layer; whoever calls
 * keeps the files of all layers involved. Thread-safe for different layers.
 */
final class LayerContents {
  private static final byte[] DESCRIPTOR = RawName.of(ThinDescriptorJson.FILE_NAME);

  private final LayerFiles files;
  private final CvmfsRoots roots;
  private final StorageSettings settings;

  LayerContents(LayerFiles files, CvmfsRoots roots, StorageSettings settings) {
    this.files = files;
    this.roots = roots;
    this.settings = settings;
  }

  /** What a layer became. */
  record Filled(LayerRecord record, long sizeBytes) {}

  Filled fill(Layer layer, InputStream tar, Cancellation cancellation) {
    LayerRecord record = layer.record();
    try (Directory diff = files.open(layer.id, LayerFiles.DIFF);
        LayerUnpacker unpacker = new LayerUnpacker(diff, settings.ids(), cancellation)) {
      LayerUnpacker.Unpacked unpacked = unpacker.unpack(TarEntries.of(tar, settings.limits()));
      Optional<FileStatus> descriptor = diff.status(DESCRIPTOR).filter(FileStatus::isRegular);
      LayerRecord filled =
          descriptor.isPresent()
              ? thin(record, diff, unpacked.opaqueRoot())
              : record.applied(unpacked.opaqueRoot());
      return new Filled(filled, unpacked.sizeBytes());
    } catch (LinuxException e) {
      throw LayerFiles.failed("layer " + layer.id + " cannot be filled", e);
    }
  }

  private LayerRecord thin(LayerRecord record, Directory diff, boolean opaqueRoot) {
    List<CvmfsUrl> folders = folders(descriptor(diff));
    if (!settings.ids().isNone()) {
      throw new LayersException.NotSupported(
          "thin images cannot be used with user namespaces: the files of CVMFS belong to the host's"
              + " users");
    }
    files.makePart(record.id(), LayerFiles.THIN, 0755);
    try (Directory thin = files.open(record.id(), LayerFiles.THIN)) {
      diff.rename(DESCRIPTOR, thin, DESCRIPTOR);
    }
    boolean ownFiles = !files.isEmpty(record.id(), LayerFiles.DIFF);
    return record.appliedThin(opaqueRoot, ownFiles, folders);
  }

  private static ThinDescriptor descriptor(Directory diff) {
    try {
      byte[] json =
          LayerFiles.read(diff, ThinDescriptorJson.FILE_NAME, ThinDescriptorJson.MAX_BYTES);
      return ThinDescriptorJson.read(json);
    } catch (IOException e) {
      throw new LayersException.Rejected(
          "the thin image is refused: thin.json is longer than "
              + ThinDescriptorJson.MAX_BYTES
              + " bytes",
          e);
    } catch (ImageException e) {
      throw new LayersException.Rejected("the thin image is refused: " + e.getMessage(), e);
    }
  }

  /** Bottom first, each folder once, where it lies highest. */
  private static List<CvmfsUrl> folders(ThinDescriptor descriptor) {
    SequencedSet<CvmfsUrl> topFirst = new LinkedHashSet<>();
    descriptor.layers().reversed().forEach(layer -> topFirst.add(layer.url()));
    for (CvmfsUrl url : topFirst) {
      int slash = url.path().lastIndexOf('/');
      while (slash > 0) {
        CvmfsUrl around = new CvmfsUrl(url.repository(), url.path().substring(0, slash));
        if (topFirst.contains(around)) {
          throw new LayersException.Rejected(
              "the thin image is refused: " + url + " lies in " + around + ", which it names too");
        }
        slash = url.path().lastIndexOf('/', slash - 1);
      }
    }
    return List.copyOf(topFirst.reversed());
  }

  /**
   * Packs layers into one archive.
   *
   * @param span the topmost first
   * @param whole whether nothing lies below them
   */
  void pack(List<Layer> span, boolean whole, Cancellation cancellation, OutputStream out) {
    boolean opaque = span.stream().anyMatch(layer -> layer.record().opaqueRoot());
    LayerPacker.Marks marks =
        whole && span.size() > 1 ? LayerPacker.Marks.LEFT_OUT : LayerPacker.Marks.WRITTEN;
    List<Lower> content =
        span.size() == 1 ? LayerStack.local(span.getFirst().record()) : contents(span);
    try (OpenLowers lowers = OpenLowers.open(content, files, roots);
        MergedDirectory root = merged(lowers)) {
      LayerPacker.pack(root, opaque, marks, settings.ids(), cancellation, out);
    } catch (IOException e) {
      throw new LayersException.Failed(
          "the archive of layer " + span.getFirst().id + " cannot be sent: " + e.getMessage(), e);
    } catch (LinuxException e) {
      throw LayerFiles.failed("layer " + span.getFirst().id + " cannot be packed", e);
    }
  }

  private static MergedDirectory merged(OpenLowers lowers) {
    List<Directory> own = new ArrayList<>();
    try {
      for (Directory directory : lowers.directories()) {
        own.add(directory.reopened());
      }
      return new MergedDirectory(own);
    } catch (RuntimeException e) {
      own.forEach(Directory::close);
      throw e;
    }
  }

  /** What layers bring together, down to the first that shows nothing below it. */
  private static List<Lower> contents(List<Layer> span) {
    SequencedSet<Lower> contents = new LinkedHashSet<>();
    for (Layer layer : span) {
      contents.addAll(LayerStack.own(layer.record()));
      if (layer.record().opaqueRoot()) {
        break;
      }
    }
    return List.copyOf(contents);
  }

  private static List<Lower> localContents(List<Layer> span) {
    SequencedSet<Lower> contents = new LinkedHashSet<>();
    for (Layer layer : span) {
      contents.addAll(
          span.size() == 1
              ? LayerStack.local(layer.record())
              : LayerStack.own(layer.record()).stream()
                  .filter(lower -> !(lower instanceof Lower.Folder))
                  .toList());
      if (layer.record().opaqueRoot()) {
        break;
      }
    }
    return List.copyOf(contents);
  }

  /**
   * @param below the layer right below the span; null if none
   */
  List<Change> changes(List<Layer> span, @Nullable Layer below) {
    if (span.size() > 1 && span.stream().anyMatch(layer -> layer.record().isThin())) {
      throw new LayersException.NotSupported(
          "the changes of layer "
              + span.getFirst().id
              + " reach through a thin layer, whose files are not read for that");
    }
    boolean opaque = span.stream().anyMatch(layer -> layer.record().opaqueRoot());
    List<Lower> old = below == null ? List.of() : LayerStack.from(below);
    try (OpenLowers upper = OpenLowers.open(localContents(span), files, roots);
        MergedDirectory mine = merged(upper);
        OpenLowers lower = OpenLowers.open(old, files, roots);
        MergedDirectory theirs = merged(lower)) {
      return ChangeFinder.find(mine, below == null ? null : theirs, opaque);
    } catch (LinuxException e) {
      throw LayerFiles.failed("layer " + span.getFirst().id + " cannot be compared", e);
    }
  }

  /** Of the files on this node: those in CVMFS take no room here. */
  long size(List<Layer> span) {
    return measured(span).sizeBytes();
  }

  LayerUsage usage(Layer layer) {
    return measured(List.of(layer));
  }

  private LayerUsage measured(List<Layer> span) {
    try (OpenLowers lowers = OpenLowers.open(localContents(span), files, roots);
        MergedDirectory root = merged(lowers)) {
      return TreeSize.of(root);
    } catch (LinuxException e) {
      throw LayerFiles.failed("layer " + span.getFirst().id + " cannot be measured", e);
    }
  }
}
