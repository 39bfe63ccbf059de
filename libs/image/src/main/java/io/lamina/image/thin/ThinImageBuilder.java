package io.lamina.image.thin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.internal.StrictJson;
import io.lamina.image.manifest.ImageConfig;
import io.lamina.image.manifest.MediaTypes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/**
 * Makes thin images: the original's config with one tiny layer in place of its own. The same inputs
 * give the same bytes. Thread-safe. Source: docs/format/thin-images.md.
 */
public final class ThinImageBuilder {
  /** What a config says of the machine and of how it runs; all else describes the old layers. */
  private static final List<String> KEPT =
      List.of(
          "created",
          "author",
          "architecture",
          "variant",
          "os",
          "os.version",
          "os.features",
          "config");

  private static final String EPOCH = "1970-01-01T00:00:00Z";

  private ThinImageBuilder() {}

  /**
   * The thin image of a published image.
   *
   * @param originalConfig the original's own bytes
   * @param layers digests of its compressed layers, bottom first, as published
   * @param repository where they are published
   * @param origin the original's canonical reference
   * @throws ImageException.Rejected if the config is malformed, or there are too many layers
   */
  public static ThinImage build(
      byte[] originalConfig, List<Digest> layers, String repository, String origin) {
    return build(originalConfig, ThinDescriptor.ofLayers(repository, layers, origin));
  }

  /**
   * A thin image of any descriptor.
   *
   * @param originalConfig gives architecture, entry point and so on; its layers are not used
   */
  public static ThinImage build(byte[] originalConfig, ThinDescriptor descriptor) {
    byte[] tar = tar(ThinDescriptorJson.write(descriptor));
    byte[] layerBytes = gzip(tar);
    Digest diffId = Digest.sha256(tar);
    Descriptor layer = describe(MediaTypes.DOCKER_LAYER_GZIP, layerBytes);
    byte[] configBytes = config(originalConfig, diffId, descriptor);
    Descriptor config = describe(MediaTypes.DOCKER_CONFIG, configBytes);
    byte[] manifestBytes = manifest(config, layer);
    return new ThinImage(
        layer,
        layerBytes,
        diffId,
        config,
        configBytes,
        describe(MediaTypes.DOCKER_MANIFEST, manifestBytes),
        manifestBytes);
  }

  private static Descriptor describe(String mediaType, byte[] bytes) {
    return new Descriptor(mediaType, Digest.sha256(bytes), bytes.length);
  }

  private static byte[] tar(byte[] thinJson) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar =
        new TarArchiveOutputStream(bytes, 512, StandardCharsets.US_ASCII.name())) {
      TarArchiveEntry entry =
          new TarArchiveEntry(ThinDescriptorJson.FILE_NAME, TarConstants.LF_NORMAL);
      entry.setMode(0644);
      entry.setIds(0, 0);
      entry.setUserName("");
      entry.setGroupName("");
      entry.setModTime(0);
      entry.setSize(thinJson.length);
      tar.putArchiveEntry(entry);
      tar.write(thinJson);
      tar.closeArchiveEntry();
    } catch (IOException e) {
      throw new UncheckedIOException("memory cannot fail to be written", e);
    }
    return bytes.toByteArray();
  }

  /** Own framing, because the header that the JDK writes differs between its releases. */
  private static byte[] gzip(byte[] plain) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(new byte[] {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, (byte) 0xff});
    Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
    try {
      deflater.setInput(plain);
      deflater.finish();
      byte[] buffer = new byte[8192];
      while (!deflater.finished()) {
        bytes.write(buffer, 0, deflater.deflate(buffer));
      }
    } finally {
      deflater.end();
    }
    CRC32 crc = new CRC32();
    crc.update(plain);
    writeLittleEndian(bytes, (int) crc.getValue());
    writeLittleEndian(bytes, plain.length);
    return bytes.toByteArray();
  }

  private static void writeLittleEndian(ByteArrayOutputStream bytes, int value) {
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.write(value >>> shift);
    }
  }

  private static byte[] config(byte[] original, Digest diffId, ThinDescriptor descriptor) {
    String where = descriptor.origin().orElse("thin image");
    ImageConfig.parse(where, original);
    ObjectNode old;
    try {
      old = StrictJson.parseObject(original);
    } catch (IOException e) {
      throw new ImageException.Rejected(where + ": the config is not valid JSON", e);
    }
    ObjectNode config = StrictJson.newObject();
    for (String field : KEPT) {
      JsonNode value = old.get(field);
      if (value != null) {
        config.set(field, value);
      }
    }
    config.putObject("rootfs").put("type", "layers").putArray("diff_ids").add(diffId.toString());
    ObjectNode step = config.putArray("history").addObject();
    step.put("created", StrictJson.nonEmptyText(old, "created").orElse(EPOCH));
    step.put("created_by", "lamina");
    descriptor.origin().ifPresent(origin -> step.put("comment", "thin image of " + origin));
    return StrictJson.write(config);
  }

  private static byte[] manifest(Descriptor config, Descriptor layer) {
    ObjectNode manifest = StrictJson.newObject();
    manifest.put("schemaVersion", 2);
    manifest.put("mediaType", MediaTypes.DOCKER_MANIFEST);
    put(manifest.putObject("config"), config);
    put(manifest.putArray("layers").addObject(), layer);
    return StrictJson.write(manifest);
  }

  private static void put(ObjectNode node, Descriptor descriptor) {
    node.put("mediaType", descriptor.mediaType());
    node.put("size", descriptor.sizeBytes());
    node.put("digest", descriptor.digest().toString());
  }
}
