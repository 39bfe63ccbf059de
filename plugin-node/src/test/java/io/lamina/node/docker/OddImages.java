package io.lamina.node.docker;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** Images with all that a file system can hold. */
final class OddImages {
  private static final byte[] NONE = {};

  private OddImages() {}

  /** What a layer can bring, and in the layers above it every way to take things away. */
  static byte[] odd(String tag) {
    return ImageArchive.of(
        tag, List.of(TarArchive.busybox().toBytes(), everything(), takingAway(), again()));
  }

  private static byte[] everything() {
    return new TarArchive()
        .directory("a", 0755)
        .file("a/plain", 0644, "plain")
        .file("a/empty", 0600, "")
        .file("a/setuid", 04755, "setuid")
        .file("a/setgid", 02755, "setgid")
        .file("a/unreadable", 0, "unreadable")
        .directory("a/sticky", 01777)
        .directory("a/setgid-folder", 02775, 7, 8)
        .file("a/owned", 0640, 70_000, 3_000_000, bytes("owned"), Map.of())
        .file("a/capable", 0755, 0, 0, bytes("capable"), Map.of("security.capability", netRaw()))
        .file("a/attributed", 0644, 0, 0, bytes("x"), Map.of("user.lamina", "value"))
        .hardLink("a/plain-again", "a/plain")
        .hardLink("a/plain-thrice", "a/plain")
        .link("a/link", "plain")
        .link("a/link-absolute", "/a/plain")
        .link("a/link-dangling", "nothing/here")
        .link("a/link-loop", "link-loop")
        .node("a/null", 0666, TarConstants.LF_CHR, 1, 3)
        .node("a/block", 0660, TarConstants.LF_BLK, 7, 200)
        .node("a/fifo", 0622, TarConstants.LF_FIFO, 0, 0)
        .file("a/with space", 0644, "1")
        .file("a/with:colon,comma\\backslash", 0644, "2")
        .file("a/with\nnewline", 0644, "3")
        .file("a/ünïcode-名前", 0644, "4")
        .file("a/" + "n".repeat(255), 0644, "5")
        .file("./prefixed", 0644, "6")
        .file("without/any/parents/file", 0644, "7")
        .directory("gone", 0755)
        .file("gone/file", 0644, "8")
        .file("gone-file", 0644, "9")
        .link("gone-link", "a/plain")
        .directory("opaque", 0750, 5, 6)
        .file("opaque/hidden", 0644, "10")
        .directory("opaque/hidden-folder", 0755)
        .file("opaque/hidden-folder/file", 0644, "11")
        .file("file-then-folder", 0644, "12")
        .directory("folder-then-file", 0755)
        .file("folder-then-file/x", 0644, "13")
        .directory("comes-again", 0755)
        .file("comes-again/before", 0644, "14")
        .directory("deep/er", 0755)
        .file("deep/er/whited", 0644, "15")
        .file("deep/er/stays", 0644, "16")
        .toBytes();
  }

  private static byte[] takingAway() {
    return new TarArchive()
        .whiteout("gone")
        .whiteout("gone-file")
        .whiteout("gone-link")
        .directory("opaque", 0700, 5, 6)
        .opaque("opaque")
        .file("opaque/fresh", 0644, "new")
        .whiteout("file-then-folder")
        .whiteout("folder-then-file")
        .whiteout("comes-again")
        .directory("deep", 0755)
        .directory("deep/er", 0755)
        .whiteout("deep/er/whited")
        .whiteout("never/was/here")
        .toBytes();
  }

  private static byte[] again() {
    return new TarArchive()
        .directory("file-then-folder", 0755)
        .file("file-then-folder/x", 0644, "17")
        .file("folder-then-file", 0644, "18")
        .directory("comes-again", 0755)
        .file("comes-again/after", 0644, "19")
        .file("a/plain", 0600, "replaced")
        .toBytes();
  }

  /**
   * An image of many layers, each with a file of its own and a new version of a common one.
   *
   * @param layers with the one of the shell
   */
  static byte[] deep(String tag, int layers) {
    List<byte[]> archives = new ArrayList<>(List.of(TarArchive.busybox().toBytes()));
    for (int i = 1; i < layers; i++) {
      archives.add(
          new TarArchive()
              .file("layer-" + i, 0644, "layer " + i + "\n")
              .file("newest", 0644, "newest of " + i + "\n")
              .toBytes());
    }
    return ImageArchive.of(tag, archives);
  }

  /** {@code cap_net_raw+ep} as the kernel stores it. */
  private static String netRaw() {
    return new String(
        new byte[] {1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
        StandardCharsets.ISO_8859_1);
  }

  private static byte[] bytes(String text) {
    return text.isEmpty() ? NONE : text.getBytes(StandardCharsets.UTF_8);
  }
}
