package io.lamina.image.archive;

import io.lamina.image.Descriptor;
import io.lamina.image.ImageException;
import io.lamina.image.ImageSource;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.image.internal.Quoted;
import io.lamina.image.internal.StrictJson;
import io.lamina.image.manifest.FetchedManifest;
import io.lamina.image.manifest.ImageConfig;
import io.lamina.image.manifest.ImageResolver;
import io.lamina.image.manifest.IndexEntry;
import io.lamina.image.manifest.Manifest;
import io.lamina.image.manifest.ManifestJson;
import io.lamina.image.manifest.ManifestStore;
import io.lamina.image.manifest.MediaTypes;
import io.lamina.image.manifest.VerifyingStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * An image of an OCI image layout, in a folder or in a tar file. Thread-safe. Source: OCI image
 * layout specification. Only files named by their digest are read.
 */
public final class OciLayoutSource implements ImageSource, ManifestStore {
  private static final int MAX_MARKER_BYTES = 1 << 16;
  private static final String REF = "org.opencontainers.image.ref.name";
  private static final String CONTAINERD_NAME = "io.containerd.image.name";

  private final LayoutFiles files;
  private final Optional<String> ref;

  OciLayoutSource(LayoutFiles files, Optional<String> ref) {
    this.files = files;
    this.ref = ref;
  }

  /**
   * @throws ImageException.NotFound if there is no such folder
   */
  public static OciLayoutSource folder(Path folder, Optional<String> ref) {
    return new OciLayoutSource(new FolderFiles(folder), ref);
  }

  /**
   * @throws ImageException.NotFound if there is no such file
   * @throws ImageException.Rejected if it is not an uncompressed tar
   */
  public static OciLayoutSource archive(Path file, Optional<String> ref) {
    return new OciLayoutSource(new TarFiles(file), ref);
  }

  @Override
  public ResolvedImage resolve(Platform platform) {
    checkVersion();
    byte[] bytes =
        read("index.json", ManifestJson.MAX_BYTES)
            .orElseThrow(
                () ->
                    new ImageException.Rejected(
                        where() + " is not an OCI image layout: it has no index.json"));
    FetchedManifest index = FetchedManifest.of(Optional.of(MediaTypes.OCI_INDEX), bytes);
    if (!(ManifestJson.parse(where(), index) instanceof Manifest.Index entries)) {
      throw new ImageException.Rejected(where() + ": index.json is not an index");
    }
    List<IndexEntry> runnable = entries.entries().stream().filter(IndexEntry::isRunnable).toList();
    return ImageResolver.resolve(
        this, RefMatch.choose(where(), ref, runnable, OciLayoutSource::names), platform);
  }

  private static List<String> names(IndexEntry entry) {
    return Stream.of(REF, CONTAINERD_NAME)
        .map(key -> entry.annotations().getOrDefault(key, ""))
        .filter(name -> !name.isEmpty())
        .toList();
  }

  private void checkVersion() {
    byte[] marker =
        read("oci-layout", MAX_MARKER_BYTES)
            .orElseThrow(
                () ->
                    new ImageException.Rejected(
                        where() + " is not an OCI image layout: it has no file oci-layout"));
    String version;
    try {
      version =
          StrictJson.text(StrictJson.parseObject(marker), "imageLayoutVersion").orElse("missing");
    } catch (IOException e) {
      throw new ImageException.Rejected(where() + ": oci-layout is not valid JSON", e);
    }
    if (!version.matches("1\\.[0-9]{1,3}\\.[0-9]{1,3}")) {
      throw new ImageException.Rejected(
          where() + " has the layout version " + Quoted.of(version) + "; known is 1");
    }
  }

  @Override
  public FetchedManifest manifest(Descriptor descriptor) {
    return FetchedManifest.of(
        Optional.of(descriptor.mediaType()).filter(type -> !type.isEmpty()),
        document(descriptor, ManifestJson.MAX_BYTES));
  }

  @Override
  public byte[] config(Descriptor descriptor) {
    return document(descriptor, ImageConfig.MAX_BYTES);
  }

  private byte[] document(Descriptor descriptor, int maxBytes) {
    return read(path(descriptor), maxBytes).orElseThrow(() -> missing(descriptor));
  }

  @Override
  public InputStream openBlob(Descriptor blob) {
    LayoutFiles.Entry entry = files.find(path(blob)).orElseThrow(() -> missing(blob));
    return openVerified(files, path(blob), entry, blob);
  }

  static InputStream openVerified(
      LayoutFiles files, String path, LayoutFiles.Entry entry, Descriptor blob) {
    if (entry.sizeBytes() != blob.sizeBytes()) {
      throw new ImageException.Corrupt(
          files.where()
              + ": "
              + path
              + " has "
              + entry.sizeBytes()
              + " bytes; the manifest says "
              + blob.sizeBytes());
    }
    try {
      return new VerifyingStream(new BufferedInputStream(entry.open(), 1 << 16), blob);
    } catch (IOException e) {
      throw new ImageException.Retryable("cannot open " + path + " of " + files.where(), e, null);
    }
  }

  private Optional<byte[]> read(String path, int maxBytes) {
    return files.find(path).map(entry -> readAll(files, path, entry, maxBytes));
  }

  static byte[] readAll(LayoutFiles files, String path, LayoutFiles.Entry entry, int maxBytes) {
    if (entry.sizeBytes() > maxBytes) {
      throw new ImageException.Rejected(
          files.where()
              + ": "
              + path
              + " has "
              + entry.sizeBytes()
              + " bytes; the limit is "
              + maxBytes);
    }
    try (InputStream in = entry.open()) {
      return in.readNBytes(maxBytes);
    } catch (IOException e) {
      throw new ImageException.Retryable("cannot read " + path + " of " + files.where(), e, null);
    }
  }

  private static String path(Descriptor descriptor) {
    return "blobs/sha256/" + descriptor.digest().hex();
  }

  private ImageException.NotFound missing(Descriptor descriptor) {
    return new ImageException.NotFound(where() + " has no file " + path(descriptor));
  }

  @Override
  public String where() {
    return files.where();
  }

  @Override
  public void close() {
    files.close();
  }
}
