package io.lamina.converter;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;

/** Images made of names. */
public final class SampleImages {
  private SampleImages() {}

  public static Digest digest(String text) {
    try {
      return Digest.ofBytes(MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  public static ResolvedImage image(Platform platform, String name, String... layers) {
    byte[] manifest = ("manifest of " + name + " " + platform).getBytes(UTF_8);
    byte[] config = ("config of " + name + " " + platform).getBytes(UTF_8);
    return new ResolvedImage(
        platform,
        new Descriptor("manifest", digest(new String(manifest, UTF_8)), manifest.length),
        manifest,
        new Descriptor("config", digest(new String(config, UTF_8)), config.length),
        config,
        Arrays.stream(layers)
            .map(
                layer ->
                    new LayerDescriptor(
                        new Descriptor("layer", digest(layer), 10), digest("tar of " + layer)))
            .toList(),
        List.of(new Descriptor("foreign", digest("foreign"), 5)));
  }
}
