package io.lamina.standalone.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.converter.bench.SyntheticLayer;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageSource;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.image.manifest.MediaTypes;
import io.lamina.image.manifest.VerifyingStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** An image of one generated layer, which lies nowhere. Thread-safe. */
final class SyntheticImage implements ImageSource {
  private final SyntheticLayer layer;

  SyntheticImage(SyntheticLayer layer) {
    this.layer = layer;
  }

  @Override
  public ResolvedImage resolve(Platform platform) {
    LayerDescriptor descriptor = layer.descriptor();
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("architecture", platform.architecture()).put("os", platform.os());
    config.putObject("config");
    config
        .putObject("rootfs")
        .put("type", "layers")
        .putArray("diff_ids")
        .add(descriptor.diffId().toString());
    byte[] configBytes = bytes(config);
    Descriptor configDescriptor = descriptor(MediaTypes.OCI_CONFIG, configBytes);

    ObjectNode manifest = JsonNodeFactory.instance.objectNode();
    manifest.put("schemaVersion", 2).put("mediaType", MediaTypes.OCI_MANIFEST);
    manifest.set("config", json(configDescriptor));
    manifest.putArray("layers").add(json(descriptor.blob()));
    byte[] manifestBytes = bytes(manifest);
    return new ResolvedImage(
        platform,
        descriptor(MediaTypes.OCI_MANIFEST, manifestBytes),
        manifestBytes,
        configDescriptor,
        configBytes,
        List.of(descriptor),
        List.of());
  }

  private static byte[] bytes(ObjectNode node) {
    return node.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static Descriptor descriptor(String mediaType, byte[] content) {
    return new Descriptor(mediaType, Digest.sha256(content), content.length);
  }

  private static ObjectNode json(Descriptor descriptor) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("mediaType", descriptor.mediaType())
        .put("digest", descriptor.digest().toString())
        .put("size", descriptor.sizeBytes());
  }

  @Override
  public InputStream openBlob(Descriptor blob) {
    if (!blob.digest().equals(layer.descriptor().blob().digest())) {
      throw new ImageException.NotFound("the generated image has no blob " + blob.digest());
    }
    return new VerifyingStream(layer.open(), blob);
  }

  @Override
  public void close() {
    // Nothing is open.
  }
}
