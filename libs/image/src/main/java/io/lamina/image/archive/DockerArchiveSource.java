package io.lamina.image.archive;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageSource;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.image.internal.Quoted;
import io.lamina.image.internal.StrictJson;
import io.lamina.image.manifest.FetchedManifest;
import io.lamina.image.manifest.ImageConfig;
import io.lamina.image.manifest.ImageResolver;
import io.lamina.image.manifest.ManifestJson;
import io.lamina.image.manifest.ManifestStore;
import io.lamina.image.manifest.MediaTypes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An image of an archive that {@code docker save} wrote. Thread-safe.
 *
 * <p>Archives of current clients hold an OCI layout, which is read as such. Older ones name layers
 * by path and have no manifest of the image: then one is made from what is there, the same for the
 * same archive. An uncompressed layer is its own tar, so its blob's digest is its diff id; for a
 * compressed one the digest is computed by reading it once.
 */
public final class DockerArchiveSource implements ImageSource {
  private static final int MAX_LIST_BYTES = 8 << 20;
  private static final int MAX_IMAGES = 10_000;

  private final LayoutFiles files;
  private final Optional<String> ref;
  private final Optional<OciLayoutSource> layout;

  /** What each layer of the archive is; filled once, under this object's lock. */
  private @Nullable Map<String, Layer> layersByPath;

  /** The images that {@code manifest.json} lists. */
  private record Listed(String config, List<String> tags, List<String> layers) {}

  private record Layer(Descriptor blob, String path, LayoutFiles.Entry entry) {}

  private DockerArchiveSource(LayoutFiles files, Optional<String> ref) {
    this.files = files;
    this.ref = ref;
    boolean isLayout = files.find("oci-layout").isPresent() && files.find("index.json").isPresent();
    this.layout = isLayout ? Optional.of(new OciLayoutSource(files, ref)) : Optional.empty();
  }

  /**
   * @throws ImageException.NotFound if there is no such file
   * @throws ImageException.Rejected if it is not an uncompressed tar
   */
  public static DockerArchiveSource open(Path file, Optional<String> ref) {
    return new DockerArchiveSource(new TarFiles(file), ref);
  }

  @Override
  public ResolvedImage resolve(Platform platform) {
    if (layout.isPresent()) {
      return layout.get().resolve(platform);
    }
    List<Listed> fitting = RefMatch.choose(files.where(), ref, listed(), Listed::tags);
    if (fitting.stream().map(Listed::config).distinct().count() > 1) {
      throw new ImageException.NotFound(
          files.where()
              + " holds "
              + fitting.size()
              + " images that only differ in their id; save the one that is meant by its name");
    }
    Listed image = fitting.getFirst();
    byte[] config = config(image);
    List<Descriptor> layers = new ArrayList<>();
    for (String path : image.layers) {
      layers.add(layer(path).blob);
    }
    FetchedManifest manifest =
        FetchedManifest.of(Optional.of(MediaTypes.DOCKER_MANIFEST), manifestOf(config, layers));
    return ImageResolver.resolve(new Config(files.where(), config), manifest, platform);
  }

  /** Serves the one config of a made manifest. */
  private record Config(String where, byte[] bytes) implements ManifestStore {
    @Override
    public FetchedManifest manifest(Descriptor descriptor) {
      throw new ImageException.NotFound(where + " has no manifest " + descriptor.digest());
    }

    @Override
    public byte[] config(Descriptor descriptor) {
      return bytes;
    }
  }

  private static byte[] manifestOf(byte[] config, List<Descriptor> layers) {
    ObjectNode manifest = StrictJson.newObject();
    manifest.put("schemaVersion", 2);
    manifest.put("mediaType", MediaTypes.DOCKER_MANIFEST);
    put(
        manifest.putObject("config"),
        new Descriptor(MediaTypes.DOCKER_CONFIG, Digest.sha256(config), config.length));
    ArrayNode nodes = manifest.putArray("layers");
    layers.forEach(layer -> put(nodes.addObject(), layer));
    return StrictJson.write(manifest);
  }

  private static void put(ObjectNode node, Descriptor descriptor) {
    node.put("mediaType", descriptor.mediaType());
    node.put("size", descriptor.sizeBytes());
    node.put("digest", descriptor.digest().toString());
  }

  @Override
  public InputStream openBlob(Descriptor blob) {
    if (layout.isPresent()) {
      return layout.get().openBlob(blob);
    }
    for (Listed image : listed()) {
      for (String path : image.layers) {
        Layer layer = layer(path);
        if (layer.blob.digest().equals(blob.digest())) {
          return OciLayoutSource.openVerified(files, layer.path, layer.entry, blob);
        }
      }
    }
    throw new ImageException.NotFound(files.where() + " has no layer " + blob.digest());
  }

  private List<Listed> listed() {
    byte[] bytes =
        files
            .find("manifest.json")
            .map(e -> OciLayoutSource.readAll(files, "manifest.json", e, MAX_LIST_BYTES))
            .orElseThrow(
                () ->
                    new ImageException.Rejected(
                        files.where()
                            + " is not an archive of docker save: it has no manifest.json"));
    JsonNode list;
    try {
      list = StrictJson.parse(bytes);
    } catch (IOException e) {
      throw new ImageException.Rejected(files.where() + ": manifest.json is not valid JSON", e);
    }
    if (!list.isArray() || list.size() > MAX_IMAGES) {
      throw new ImageException.Rejected(
          files.where() + ": manifest.json is not a list of at most " + MAX_IMAGES + " images");
    }
    List<Listed> images = new ArrayList<>();
    for (JsonNode item : list) {
      images.add(
          new Listed(
              StrictJson.text(item, "Config").orElse(""),
              texts(item.path("RepoTags")),
              texts(item.path("Layers"))));
    }
    return images;
  }

  private List<String> texts(JsonNode list) {
    if (list.size() > MAX_IMAGES) {
      throw new ImageException.Rejected(files.where() + ": manifest.json has an absurd list");
    }
    List<String> texts = new ArrayList<>();
    list.forEach(item -> texts.add(item.asText()));
    return texts;
  }

  private byte[] config(Listed image) {
    byte[] config =
        find(image.config)
            .map(e -> OciLayoutSource.readAll(files, image.config, e, ImageConfig.MAX_BYTES))
            .orElseThrow(() -> missing(image.config));
    // The file is named by the image id, the one thing in the archive that vouches for it.
    String name = image.config.substring(image.config.lastIndexOf('/') + 1);
    String hex = name.endsWith(".json") ? name.substring(0, name.length() - 5) : name;
    Digest actual = Digest.sha256(config);
    if (hex.matches("[0-9a-f]{64}") && !hex.equals(actual.hex())) {
      throw new ImageException.Corrupt(
          files.where() + ": the config " + image.config + " has the digest " + actual);
    }
    return config;
  }

  private Layer layer(String path) {
    Layer layer = layers().get(path);
    if (layer == null) {
      throw missing(path);
    }
    return layer;
  }

  private synchronized Map<String, Layer> layers() {
    if (layersByPath == null) {
      Map<String, Layer> all = new HashMap<>();
      for (Listed image : listed()) {
        List<Digest> diffIds = ImageConfig.parse(files.where(), config(image)).diffIds();
        if (diffIds.size() != image.layers.size()
            || image.layers.size() > ManifestJson.MAX_LAYERS) {
          throw new ImageException.Rejected(
              files.where()
                  + ": manifest.json lists "
                  + image.layers.size()
                  + " layers but the config has "
                  + diffIds.size()
                  + " diff ids");
        }
        for (int i = 0; i < diffIds.size(); i++) {
          String path = image.layers.get(i);
          if (!all.containsKey(path)) {
            LayoutFiles.Entry entry = find(path).orElseThrow(() -> missing(path));
            all.put(path, new Layer(describe(path, entry, diffIds.get(i)), path, entry));
          }
        }
      }
      layersByPath = all;
    }
    return layersByPath;
  }

  private Descriptor describe(String path, LayoutFiles.Entry entry, Digest diffId) {
    try (InputStream in = entry.open()) {
      byte[] start = in.readNBytes(4);
      boolean isGzip = start.length >= 2 && (start[0] & 0xff) == 0x1f && (start[1] & 0xff) == 0x8b;
      boolean isZstd =
          start.length == 4
              && (start[0] & 0xff) == 0x28
              && (start[1] & 0xff) == 0xb5
              && (start[2] & 0xff) == 0x2f
              && (start[3] & 0xff) == 0xfd;
      if (!isGzip && !isZstd) {
        return new Descriptor(MediaTypes.DOCKER_LAYER_PLAIN, diffId, entry.sizeBytes());
      }
      MessageDigest hasher = Digest.newSha256();
      hasher.update(start);
      byte[] buffer = new byte[1 << 16];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        hasher.update(buffer, 0, n);
      }
      return new Descriptor(
          isGzip ? MediaTypes.DOCKER_LAYER_GZIP : MediaTypes.DOCKER_LAYER_ZSTD,
          Digest.ofBytes(hasher.digest()),
          entry.sizeBytes());
    } catch (IOException e) {
      throw new ImageException.Retryable("cannot read " + path + " of " + files.where(), e, null);
    }
  }

  private Optional<LayoutFiles.Entry> find(String path) {
    return TarFiles.normalised("", path).flatMap(files::find);
  }

  private ImageException.Rejected missing(String path) {
    return new ImageException.Rejected(
        files.where()
            + ": manifest.json names "
            + Quoted.of(path)
            + ", which is not in the archive");
  }

  @Override
  public void close() {
    files.close();
  }
}
