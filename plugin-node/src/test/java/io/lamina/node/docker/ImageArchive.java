package io.lamina.node.docker;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** An image as {@code docker load} reads it. */
final class ImageArchive {
  private ImageArchive() {}

  /**
   * @param layers archives, bottom first
   */
  static byte[] of(String tag, List<byte[]> layers) {
    String diffIds =
        layers.stream()
            .map(layer -> "\"sha256:" + sha256(layer) + "\"")
            .collect(Collectors.joining(","));
    String history =
        layers.stream()
            .map(_ -> "{\"created\":\"2001-01-01T00:00:00Z\"}")
            .collect(Collectors.joining(","));
    String config =
        """
        {"architecture":"amd64","os":"linux","created":"2001-01-01T00:00:00Z",
        "config":{"Cmd":["/bin/sh"],"Env":["PATH=/bin"]},"history":[%s],
        "rootfs":{"type":"layers","diff_ids":[%s]}}"""
            .formatted(history, diffIds);
    String names =
        IntStream.range(0, layers.size())
            .mapToObj(i -> "\"" + i + "/layer.tar\"")
            .collect(Collectors.joining(","));
    TarArchive archive = new TarArchive();
    for (int i = 0; i < layers.size(); i++) {
      archive.file(i + "/layer.tar", 0644, layers.get(i));
    }
    return archive
        .file("config.json", 0644, config)
        .file(
            "manifest.json",
            0644,
            "[{\"Config\":\"config.json\",\"RepoTags\":[\"%s\"],\"Layers\":[%s]}]"
                .formatted(tag, names))
        .toBytes();
  }

  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
