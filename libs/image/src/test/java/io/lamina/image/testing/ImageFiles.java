package io.lamina.image.testing;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.internal.StrictJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes test images where the local transports read them. */
public final class ImageFiles {
  private ImageFiles() {}

  /**
   * Writes an OCI image layout.
   *
   * @param images by ref; an empty ref leaves the annotation out
   */
  public static void writeOciLayout(Path folder, Map<String, TestImage> images) {
    layout(images)
        .forEach(
            (name, bytes) -> {
              try {
                Path file = folder.resolve(name);
                Files.createDirectories(file.getParent());
                Files.write(file, bytes);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
  }

  /** Writes a tar of an OCI image layout. */
  public static void writeOciArchive(Path file, Map<String, TestImage> images) {
    write(file, tar(layout(images)));
  }

  /**
   * Writes an archive as {@code docker save} did before version 25: uncompressed layers in folders
   * by id, a layer that occurs again as a symbolic link.
   *
   * @param images by repository tag, such as {@code team/app:1}; an empty one leaves the tag out
   */
  public static void writeLegacyDockerArchive(Path file, Map<String, TestImage> images) {
    TarBuilder tar = new TarBuilder();
    ArrayNode list = StrictJson.newObject().putArray("images");
    Map<Digest, String> written = new HashMap<>();
    images.forEach(
        (tag, image) -> {
          String config = image.configDigest().hex() + ".json";
          tar.file(config, 0644, image.configBytes());
          ObjectNode item = list.addObject();
          item.put("Config", config);
          ArrayNode tags = item.putArray("RepoTags");
          if (!tag.isEmpty()) {
            tags.add(tag);
          }
          ArrayNode layers = item.putArray("Layers");
          int depth = 0;
          for (LayerDescriptor layer : image.layers()) {
            String id =
                Digest.sha256((tag + depth++ + layer.diffId()).getBytes(StandardCharsets.UTF_8))
                    .hex();
            tar.directory(id, 0755);
            tar.file(id + "/VERSION", 0644, "1.0");
            String earlier = written.putIfAbsent(layer.diffId(), id);
            if (earlier == null) {
              byte[] blob = image.blob(layer.blob().digest());
              if (!Digest.sha256(blob).equals(layer.diffId())) {
                throw new IllegalArgumentException("legacy archives hold plain layers only");
              }
              tar.file(id + "/layer.tar", 0644, blob);
            } else {
              tar.symlink(id + "/layer.tar", "../" + earlier + "/layer.tar");
            }
            layers.add(id + "/layer.tar");
          }
        });
    tar.file("manifest.json", 0644, StrictJson.write(list));
    write(file, tar.toBytes());
  }

  /** Writes an archive as {@code docker save} does today: an OCI layout plus manifest.json. */
  public static void writeDockerArchive(Path file, Map<String, TestImage> images) {
    Map<String, byte[]> files = new LinkedHashMap<>(layout(images, true));
    ArrayNode list = StrictJson.newObject().putArray("images");
    images.forEach(
        (tag, image) -> {
          ObjectNode item = list.addObject();
          item.put("Config", "blobs/sha256/" + image.configDigest().hex());
          item.putArray("RepoTags").add(tag);
          ArrayNode layers = item.putArray("Layers");
          image
              .layers()
              .forEach(layer -> layers.add("blobs/sha256/" + layer.blob().digest().hex()));
        });
    files.put("manifest.json", StrictJson.write(list));
    write(file, tar(files));
  }

  private static Map<String, byte[]> layout(Map<String, TestImage> images) {
    return layout(images, false);
  }

  private static Map<String, byte[]> layout(Map<String, TestImage> images, boolean isDocker) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    ObjectNode index = StrictJson.newObject();
    index.put("schemaVersion", 2);
    ArrayNode entries = index.putArray("manifests");
    images.forEach(
        (ref, image) -> {
          ObjectNode entry = ImageBuilder.node(image.manifest());
          ObjectNode annotations = entry.putObject("annotations");
          if (isDocker) {
            annotations.put("io.containerd.image.name", "docker.io/library/" + ref);
            annotations.put(
                "org.opencontainers.image.ref.name", ref.substring(ref.indexOf(':') + 1));
          } else if (!ref.isEmpty()) {
            annotations.put("org.opencontainers.image.ref.name", ref);
          }
          entries.add(entry);
          files.put(blobName(image.manifest().digest()), image.manifestBytes());
          image.blobs().forEach((digest, bytes) -> files.put(blobName(digest), bytes));
        });
    files.put("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}".getBytes(StandardCharsets.UTF_8));
    files.put("index.json", StrictJson.write(index));
    return files;
  }

  private static String blobName(Digest digest) {
    return "blobs/sha256/" + digest.hex();
  }

  private static byte[] tar(Map<String, byte[]> files) {
    TarBuilder tar = new TarBuilder();
    for (String folder : List.of("blobs", "blobs/sha256")) {
      tar.directory(folder, 0755);
    }
    files.forEach((name, bytes) -> tar.file(name, 0644, bytes));
    return tar.toBytes();
  }

  private static void write(Path file, byte[] bytes) {
    try {
      Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
