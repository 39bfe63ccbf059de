package io.lamina.standalone.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.Descriptor;
import io.lamina.image.ImageReference;
import io.lamina.image.ImageSource;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.ResolvedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Copies an image into a folder in OCI layout, so that no network is measured. */
final class LocalCopy {
  private LocalCopy() {}

  /**
   * @param folder must not exist
   * @return the copy's own reference
   */
  static ImageReference.OciLayout of(ImageSource source, ResolvedImage image, Path folder)
      throws IOException {
    Path blobs = folder.resolve("blobs/sha256");
    Files.createDirectories(blobs);
    Files.write(blobs.resolve(image.manifest().digest().hex()), image.manifestBytes());
    Files.write(blobs.resolve(image.config().digest().hex()), image.configBytes());
    for (LayerDescriptor layer : image.layers()) {
      Path file = blobs.resolve(layer.blob().digest().hex());
      if (!Files.exists(file)) {
        try (InputStream blob = source.openBlob(layer.blob())) {
          Files.copy(blob, file);
        }
      }
    }
    ObjectNode index = JsonNodeFactory.instance.objectNode();
    index.put("schemaVersion", 2);
    Descriptor manifest = image.manifest();
    ObjectNode entry = index.putArray("manifests").addObject();
    entry.put("mediaType", manifest.mediaType());
    entry.put("digest", manifest.digest().toString()).put("size", manifest.sizeBytes());
    entry.putObject("annotations").put("org.opencontainers.image.ref.name", "latest");
    Files.writeString(folder.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    Files.writeString(folder.resolve("index.json"), index.toString());
    return new ImageReference.OciLayout(folder, Optional.of("latest"));
  }
}
