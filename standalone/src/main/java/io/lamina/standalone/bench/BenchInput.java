package io.lamina.standalone.bench;

import io.lamina.converter.bench.SyntheticLayer;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.ImageSource;
import io.lamina.image.ImageSources;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Images to measure with, which lie on this machine or are generated, and each of their layers
 * once. Built by one thread, then read by any.
 */
public final class BenchInput {
  /** A layer's raw bytes, from the first on; nothing is verified. */
  @FunctionalInterface
  interface Blob {
    InputStream open() throws IOException;
  }

  record Layer(LayerDescriptor descriptor, Blob blob) {}

  /** How an image is opened again. */
  @FunctionalInterface
  private interface Opener {
    ImageSource open(ImageSources sources);
  }

  private static final int READ_BYTES = 1 << 18;

  private final Path folder;
  private final Platform platform;
  private final List<String> names = new ArrayList<>();

  /** By a name that no other image has, so that each is published for itself. */
  private final Map<ImageReference, Opener> openers = new LinkedHashMap<>();

  private final List<Layer> layers = new ArrayList<>();
  private final Set<LayerDescriptor> seen = new HashSet<>();

  /**
   * @param folder for copies of images
   */
  public BenchInput(Path folder, Platform platform) {
    this.folder = folder;
    this.platform = platform;
  }

  /**
   * Adds an image; one that is no folder in OCI layout is copied first.
   *
   * @param name in reports
   * @throws ImageException as reading it does
   */
  public void add(String name, ImageReference reference, ImageSources sources) throws IOException {
    ResolvedImage image;
    ImageReference.OciLayout layout;
    try (ImageSource source = sources.open(reference)) {
      image = source.resolve(platform);
      layout =
          reference instanceof ImageReference.OciLayout local
              ? local
              : LocalCopy.of(source, image, folder.resolve("copy-" + openers.size()));
    }
    names.add(name);
    openers.put(alias(), usual -> usual.open(layout));
    for (LayerDescriptor layer : image.layers()) {
      Path file = layout.folder().resolve("blobs/sha256").resolve(layer.blob().digest().hex());
      add(layer, () -> Files.newInputStream(file));
    }
  }

  /** Adds an image of one generated layer. */
  public void add(SyntheticLayer layer) {
    names.add(layer.toString());
    openers.put(alias(), _ -> new SyntheticImage(layer));
    add(layer.descriptor(), layer::open);
  }

  private void add(LayerDescriptor layer, Blob blob) {
    if (seen.add(layer)) {
      layers.add(new Layer(layer, blob));
    }
  }

  private ImageReference alias() {
    return new ImageReference.OciLayout(
        folder.resolve("image-" + openers.size()), Optional.of("latest"));
  }

  /** What the images are called where they come from. */
  List<String> names() {
    return names;
  }

  /** What the images are called in requests. */
  List<ImageReference> references() {
    return List.copyOf(openers.keySet());
  }

  Platform platform() {
    return platform;
  }

  List<Layer> layers() {
    return layers;
  }

  /** Different layers of all images. */
  public int layerCount() {
    return layers.size();
  }

  /** Of all layers' blobs. */
  public long packedBytes() {
    return layers.stream().mapToLong(layer -> layer.descriptor().blob().sizeBytes()).sum();
  }

  /** Sources that know these images, too. */
  ImageSources with(ImageSources usual) {
    return reference -> {
      Opener opener = openers.get(reference);
      return opener == null ? usual.open(reference) : opener.open(usual);
    };
  }

  /** Reads all files once, so that the first stage does not find them colder than the others. */
  void warm() throws IOException {
    byte[] buffer = new byte[READ_BYTES];
    for (Layer layer : layers) {
      try (InputStream blob = layer.blob().open()) {
        while (blob.read(buffer) >= 0) {
          // Only the system's cache is of interest.
        }
      }
    }
  }
}
