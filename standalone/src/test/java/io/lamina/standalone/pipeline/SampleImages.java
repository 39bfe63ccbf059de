package io.lamina.standalone.pipeline;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.TarBuilder;
import io.lamina.image.testing.TarBuilder.Compression;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/** Layers for images that share them: the same call gives the same bytes. */
final class SampleImages {
  private static final int LARGE_FILE_BYTES = 9 << 20;

  private SampleImages() {}

  /** What most images begin with: every kind of entry, and a file that is stored in chunks. */
  static Consumer<TarBuilder> base(String name) {
    return tar -> {
      tar.directory("bin", 0755).directory("etc", 0755).directory("var", 0755);
      tar.directory("var/spool", 01777).directory("usr", 0755).directory("usr/lib", 0755);
      tar.file("etc/name", 0644, name);
      tar.file("bin/sh", 0755, random(name + "sh", 60_000));
      tar.file("bin/su", 04755, random(name + "su", 30_000));
      tar.symlink("bin/bash", "sh").hardLink("bin/ash", "bin/sh");
      tar.file("etc/empty", 0600, new byte[0]);
      tar.owner(1000, 100);
      tar.file(
          "etc/owned",
          0640,
          "by a user".getBytes(StandardCharsets.UTF_8),
          Map.of("SCHILY.xattr.user.note", "kept"));
      tar.owner(0, 0);
      tar.file("usr/lib/large", 0644, random(name + "large", LARGE_FILE_BYTES));
      tar.fifo("var/spool/pipe", 0622);
      files(tar, "usr/lib/" + name, name, 60);
    };
  }

  /** Small files below a folder of its own, and a removal in a folder that nobody has. */
  static Consumer<TarBuilder> part(String name, int files) {
    return tar -> {
      files(tar, "opt/" + name, name, files);
      tar.whiteout("opt/" + name + "-old/file");
    };
  }

  /** Hides a file and a whole folder of the base, and replaces a file. */
  static Consumer<TarBuilder> changes(String base, String name) {
    return tar -> {
      tar.whiteout("usr/lib/" + base + "/file-3");
      tar.directory("var", 0755).opaque("var").file("var/new", 0644, name);
      tar.file("etc/name", 0600, name);
    };
  }

  /** What a runtime needs to know. */
  static Consumer<ObjectNode> settings(String name) {
    return config -> {
      config.put("User", "1000:100").put("WorkingDir", "/opt/" + name);
      config.putArray("Env").add("PATH=/bin:/usr/bin").add("NAME=" + name);
      config.putArray("Entrypoint").add("/bin/sh").add("-c");
      config.putArray("Cmd").add("echo " + name);
      config.putObject("ExposedPorts").putObject("8080/tcp");
      config.putObject("Labels").put("org.example.name", name).put("quoted", "\"a\" & <b>");
    };
  }

  /** An image of a base, a part that it may share with others, and a part of its own. */
  static ImageBuilder image(ImageBuilder of, String base, String shared, String own) {
    return of.layer(Compression.GZIP, base(base))
        .layer(Compression.GZIP, part(shared, 80))
        .layer(Compression.GZIP, part(own, 40))
        .layer(Compression.GZIP, changes(base, own))
        .config(settings(own));
  }

  private static void files(TarBuilder tar, String directory, String seed, int count) {
    tar.directory(directory, 0755);
    Random random = new Random(seed.hashCode());
    for (int i = 0; i < count; i++) {
      byte[] content = new byte[random.nextInt(20_000)];
      random.nextBytes(content);
      tar.file(directory + "/file-" + i, 0644, content);
    }
  }

  private static byte[] random(String seed, int bytes) {
    byte[] content = new byte[bytes];
    new Random(seed.hashCode()).nextBytes(content);
    return content;
  }
}
