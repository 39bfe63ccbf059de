package io.lamina.node.docker;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * One long script of an engine's user, and all that can be seen of its results. Two engines with
 * different storage must show the same.
 */
final class Behaviour {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String CHANGES =
      """
      set -e
      cd /
      echo new > /a/new
      echo more >> /a/plain
      touch /a/empty
      chmod 0700 /a/setuid
      chown 12:34 /a/setgid
      chmod 0711 /a/sticky
      rm -f /a/link /a/fifo
      rm -rf /opaque
      mkdir /opaque
      echo in > /opaque/in
      rm -rf /deep/er
      rm -rf /comes-again
      echo file > /comes-again
      rm -rf /folder-then-file
      mkdir -p /folder-then-file/deeper
      ln -sf /nowhere /dangling
      echo linked > /one
      ln -f /one /two
      ln -f /one /a/three
      [ -e /pipe ] || mkfifo /pipe
      [ -e /device ] || mknod /device c 5 6
      mkdir -p /many/levels/of/folders
      [ ! -e /prefixed ] || mv /prefixed /moved
      mkdir -p "/name with space"
      echo x > "/name with space/tab\tand:colon,comma"
      mkdir /fresh
      echo x > /fresh/x
      rm -r /fresh
      dd if=/dev/zero of=/zeros bs=1024 count=100 2>/dev/null
      """;

  private final DockerEngine engine;
  private final Path scratch;
  private final Map<String, String> seen = new LinkedHashMap<>();

  private Behaviour(DockerEngine engine, Path scratch) {
    this.engine = engine;
    this.scratch = scratch;
  }

  /** What was seen, by what was done. The engine is empty before and afterwards. */
  static Map<String, String> of(DockerEngine engine, Path scratch) throws IOException {
    Behaviour behaviour = new Behaviour(engine, Files.createDirectories(scratch));
    behaviour.images();
    behaviour.changes();
    behaviour.copies();
    behaviour.processes();
    behaviour.builds();
    behaviour.archives();
    behaviour.sizes();
    behaviour.prune();
    return behaviour.seen;
  }

  private void images() {
    engine.ok(TarArchive.busybox().toBytes(), "import", "-c", "CMD /bin/sh", "-", "base:1");
    engine.ok(OddImages.odd("odd:1"), "load");
    engine.ok(OddImages.deep("deep:1", 30), "load");
    for (String image : List.of("base:1", "odd:1", "deep:1")) {
      see("layers of " + image, engine.ok("inspect", "-f", "{{json .RootFS.Layers}}", image));
      see("size of " + image, engine.ok("inspect", "-f", "{{.Size}}", image));
      see("files of " + image, filesOf(image));
    }
    engine.ok(TarArchive.busybox().toBytes(), "import", "-", "base:2");
    see("a second import", engine.ok("inspect", "-f", "{{json .RootFS.Layers}}", "base:2"));
    engine.ok("rmi", "base:2");
    see("reading deep:1", engine.run("deep:1", "cat /newest /layer-1 /layer-29; ls /"));
    see(
        "reading odd:1",
        engine.run(
            "odd:1",
            "find / -xdev ! -path '/proc*' ! -path '/sys*' ! -path '/dev*' ! -name 'resolv*'"
                + " ! -name 'host*' -exec stat -c '%n %f %u:%g %h %t:%T %N' {} + | sort;"
                + " md5sum /a/plain /a/plain-again /a/capable /comes-again/after"));
  }

  private void changes() {
    engine.ok("create", "--name", "changed", "--network", "none", "odd:1", "sh", "-c", CHANGES);
    engine.ok("start", "-a", "changed");
    see("diff", sorted(engine.ok("diff", "changed")));
    see("files of the container", listing(engine.docker("export", "changed")));
    engine.ok("commit", "changed", "committed:1");
    see("files of the commit", filesOf("committed:1"));
    see("layers of the commit", layersOf("committed:1"));
    see("running the commit", engine.run("committed:1", "cat /a/new /a/plain /one; ls -a / /a"));

    engine.ok("start", "-a", "changed");
    see("diff after a second run", sorted(engine.ok("diff", "changed")));

    engine.ok("create", "--name", "touched", "--network", "none", "odd:1", "sh", "-c", "true");
    engine.ok("start", "-a", "touched");
    see("diff of a container that did nothing", engine.ok("diff", "touched"));
    engine.ok("commit", "touched", "committed:2");
    see("layers of an empty commit", layersOf("committed:2"));

    engine.ok(
        "create",
        "--name",
        "onemore",
        "--network",
        "none",
        "committed:1",
        "sh",
        "-c",
        "rm -r /a; mkdir /a; echo last > /a/last; rm /comes-again; mkdir /comes-again");
    engine.ok("start", "-a", "onemore");
    see("diff on a commit", sorted(engine.ok("diff", "onemore")));
    engine.ok("commit", "onemore", "committed:3");
    see("files of a commit on a commit", filesOf("committed:3"));
  }

  private void copies() {
    see("cp from a stopped container", listing(engine.docker("cp", "changed:/a", "-")));
    byte[] archive =
        new TarArchive()
            .directory("copied", 0750, 3, 4)
            .file("copied/side", 0604, "copied")
            .toBytes();
    engine.ok(archive, "cp", "-a", "-", "changed:/opaque");
    see("cp into a stopped container", listing(engine.docker("cp", "changed:/opaque", "-")));
    engine.ok(
        "run", "-d", "--name", "busy", "--network", "none", "odd:1", "sh", "-c", "exec sleep 600");
    engine.ok(archive, "cp", "-a", "-", "busy:/");
    see("cp into a running container", engine.ok("exec", "busy", "cat", "/copied/side"));
    engine.ok("exec", "busy", "sh", "-c", "echo out > /copied/out");
    see("cp from a running container", listing(engine.docker("cp", "busy:/copied", "-")));
  }

  private void processes() {
    see("diff while it runs", sorted(engine.ok("diff", "busy")));
    engine.ok("commit", "busy", "committed:4");
    engine.ok("commit", "--pause=false", "busy", "committed:5");
    see("layers of a commit while it runs", layersOf("committed:4"));
    see("layers of a commit without a pause", layersOf("committed:5"));
    engine.ok("restart", "-t", "0", "busy");
    see("after a restart", engine.ok("exec", "busy", "cat", "/copied/out"));
    engine.ok("pause", "busy");
    engine.ok("unpause", "busy");
    see("after a pause", engine.ok("exec", "busy", "ls", "/copied"));
    engine.ok("kill", "busy");
    engine.ok("wait", "busy");
    see("a killed container", listing(engine.docker("export", "busy")));
  }

  private void builds() throws IOException {
    Path context = Files.createDirectories(scratch.resolve("context/folder"));
    Files.writeString(context.resolve("file"), "from the context\n");
    Files.write(
        scratch.resolve("context/archive.tar"),
        new TarArchive().directory("packed", 0701, 9, 9).file("packed/f", 04711, "f").toBytes());
    Files.writeString(
        scratch.resolve("context/Dockerfile"),
        """
        FROM odd:1 AS first
        RUN echo one > /one && rm /a/plain && rm -r /opaque
        WORKDIR /made/by/workdir
        COPY folder .
        RUN chmod 0600 /made/by/workdir/file && mkdir /data && echo kept > /data/kept
        ADD archive.tar /added
        VOLUME /data
        FROM scratch
        COPY --from=first /a /a
        COPY --from=first /made /made
        """);
    String folder = scratch.resolve("context").toString();
    for (String variant : List.of("first", "")) {
      String tag = "built:" + (variant.isEmpty() ? "last" : variant);
      build(tag, variant, folder);
      String id = engine.ok("inspect", "-f", "{{.Id}}", tag);
      see("files of " + tag, filesOf(tag));
      see("layers of " + tag, layersOf(tag));
      build(tag, variant, folder);
      see(
          "a second build of " + tag + " finds it all",
          String.valueOf(id.equals(engine.ok("inspect", "-f", "{{.Id}}", tag))));
    }
    engine.ok(
        "build", "--network", "none", "--squash", "--target", "first", "-t", "built:s", folder);
    see("files of a squashed build", filesOf("built:s"));
    see("layers of a squashed build", layersOf("built:s"));
  }

  private void build(String tag, String target, String folder) {
    if (target.isEmpty()) {
      engine.ok("build", "--network", "none", "-t", tag, folder);
    } else {
      engine.ok("build", "--network", "none", "--target", target, "-t", tag, folder);
    }
  }

  private void archives() {
    for (String image : List.of("committed:3", "odd:1", "built:last")) {
      String id = engine.ok("inspect", "-f", "{{.Id}}", image);
      byte[] saved = engine.docker("save", image).expectSuccess().bytes();
      engine.docker("rmi", "-f", image).expectSuccess();
      engine.ok(saved, "load");
      see(
          image + " is the same after save and load",
          String.valueOf(id.equals(engine.ok("inspect", "-f", "{{.Id}}", image))));
      see("files of " + image + " after save and load", filesOf(image));
    }
  }

  private void sizes() {
    for (String container : List.of("changed", "touched", "onemore", "busy")) {
      see(
          "size of container " + container,
          engine.ok("inspect", "-s", "-f", "{{.SizeRw}} {{.SizeRootFs}}", container));
    }
    for (String image : List.of("committed:1", "committed:2", "built:first", "built:s")) {
      see("size of image " + image, engine.ok("inspect", "-f", "{{.Size}}", image));
      see("history of " + image, engine.ok("history", "--format", "{{.Size}}", image));
    }
    see("images in use", engine.ok("system", "df", "--format", "{{.TotalCount}} {{.Size}}"));
  }

  private void prune() {
    for (String container : engine.ok("ps", "-aq").lines().toList()) {
      engine.ok("rm", "-f", container);
    }
    engine.ok("system", "prune", "-a", "-f", "--volumes");
    see("images after prune", engine.ok("images", "-aq"));
    see("containers after prune", engine.ok("ps", "-aq"));
  }

  private void see(String what, String result) {
    if (seen.put(what, result) != null) {
      throw new AssertionError("seen twice: " + what);
    }
  }

  private static String sorted(String lines) {
    return lines.lines().sorted().collect(Collectors.joining("\n"));
  }

  private static String listing(Commands.Result archive) {
    return text(TarListing.of(archive.expectSuccess().bytes()));
  }

  private static String text(Map<String, String> listing) {
    return listing.entrySet().stream()
        .map(entry -> entry.getKey() + " " + entry.getValue())
        .collect(Collectors.joining("\n"));
  }

  /** As a container sees them that never ran. */
  private String filesOf(String image) {
    String container = engine.ok("create", image, "none");
    try {
      return listing(engine.docker("export", container));
    } finally {
      engine.ok("rm", container);
    }
  }

  /** Each layer's own archive, as it would be pushed. */
  private String layersOf(String image) {
    Map<String, byte[]> files = new HashMap<>();
    byte[] saved = engine.docker("save", image).expectSuccess().bytes();
    try (TarArchiveInputStream tar = new TarArchiveInputStream(new ByteArrayInputStream(saved))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        byte[] content = tar.readAllBytes();
        files.put(
            entry.getName(), entry.isSymbolicLink() ? entry.getLinkName().getBytes() : content);
      }
      StringBuilder text = new StringBuilder();
      JsonNode layers = JSON.readTree(files.get("manifest.json")).path(0).path("Layers");
      for (JsonNode layer : layers) {
        byte[] archive = files.get(layer.asText());
        if (archive != null && archive.length < 200) {
          String target = new String(archive).replaceFirst("^\\.\\./", "");
          archive = files.get(target);
        }
        text.append("layer\n").append(text(TarListing.of(requireNonNull(archive)))).append('\n');
      }
      return text.toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The first lines that differ; empty if none does, whatever their order. */
  static List<String> difference(String ours, String theirs) {
    List<String> left = ours.lines().toList();
    List<String> right = theirs.lines().toList();
    return Stream.concat(
            left.stream().filter(line -> !right.contains(line)).map(line -> "ours:   " + line),
            right.stream().filter(line -> !left.contains(line)).map(line -> "theirs: " + line))
        .limit(40)
        .toList();
  }
}
