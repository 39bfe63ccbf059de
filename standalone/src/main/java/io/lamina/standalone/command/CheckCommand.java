package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.check.CheckCounts;
import io.lamina.cvmfs.check.CheckReport;
import io.lamina.cvmfs.check.CheckSettings;
import io.lamina.cvmfs.check.Problem;
import io.lamina.cvmfs.check.RepositoryCheck;
import io.lamina.image.ImageReference;
import io.lamina.image.ImageSource;
import io.lamina.image.Platform;
import io.lamina.standalone.ImageAccess;
import io.lamina.standalone.verify.ImageComparison;
import io.lamina.standalone.verify.LinkResolution;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Checks a whole repository, and on demand a published image against its source. */
@Command(
    name = "check",
    description = {
      "Checks a repository: signatures, catalogs, counters, and every object's hash, size and compression.",
      "With --image also compares the published tree with the image, path by path and byte by byte."
    },
    mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {
  @Mixin RepositorySource source = new RepositorySource();

  @Option(
      names = "--depth",
      paramLabel = "DEPTH",
      defaultValue = "EVERY_OBJECT",
      description = "${COMPLETION-CANDIDATES} (default ${DEFAULT-VALUE}).")
  CheckSettings.Depth depth = CheckSettings.Depth.EVERY_OBJECT;

  @Option(
      names = "--image",
      paramLabel = "IMAGE",
      description = "Compare the tree with this image.")
  @Nullable String image;

  @Option(
      names = "--platform",
      paramLabel = "OS/ARCH[/VARIANT]",
      defaultValue = "linux/amd64",
      description = "Of the image (default ${DEFAULT-VALUE}).")
  String platform = "linux/amd64";

  @Option(
      names = "--path",
      paramLabel = "PATH",
      description = "Where the image is published (default: its public name).")
  @Nullable String path;

  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    CheckReport report =
        source.withFiles(
            files ->
                new RepositoryCheck(
                        files,
                        CheckSettings.everyObject(source.settings()).withDepth(depth),
                        counts -> {})
                    .run());
    report(report);
    boolean isGood = report.isClean();
    if (image != null) {
      isGood &= compare(ImageReference.parse(image));
    }
    return (isGood ? ExitCode.OK : ExitCode.CORRUPT).number();
  }

  private void report(CheckReport report) {
    CheckCounts counts = report.counts();
    ObjectNode node = Output.JSON.createObjectNode();
    node.put("clean", report.isClean());
    node.put("catalogs", counts.catalogs()).put("entries", counts.entries());
    node.put("objects", counts.objects());
    node.put("contentBytes", counts.contentBytes()).put("storedBytes", counts.storedBytes());
    node.put("problems", counts.problems());
    var list = node.putArray("found");
    for (Problem problem : report.problems()) {
      list.add(problem.toString());
      output.line("PROBLEM " + problem);
    }
    output.value(node);
    output.line(
        "%d catalogs, %d entries, %d objects, %s of content (%s stored): %s"
            .formatted(
                counts.catalogs(),
                counts.entries(),
                counts.objects(),
                ProgressBar.bytes(counts.contentBytes()),
                ProgressBar.bytes(counts.storedBytes()),
                report.isClean() ? "no problems found" : counts.problems() + " problems"));
  }

  private boolean compare(ImageReference reference) {
    try (ImageAccess access = ImageAccess.asThisUser(System.getenv());
        ImageSource images = access.open(reference)) {
      ImageComparison.Result result =
          source.withReader(
              reader ->
                  ImageComparison.compare(
                      images,
                      images.resolve(Platform.parse(platform)),
                      reader,
                      LinkResolution.follow(
                          reader,
                          RepositorySource.path(path == null ? reference.publicName() : path))));
      ObjectNode node = Output.JSON.createObjectNode();
      node.put("image", reference.canonical()).put("entries", result.entries());
      node.put("files", result.files()).put("bytes", result.bytes());
      var list = node.putArray("differences");
      for (String difference : result.differences()) {
        list.add(difference);
        output.line("DIFFERENT " + difference);
      }
      output.value(node);
      output.line(
          "%s: %d entries and the content of %d files compared: %s"
              .formatted(
                  reference.canonical(),
                  result.entries(),
                  result.files(),
                  result.differences().isEmpty()
                      ? "equal"
                      : result.differences().size() + " differences"));
      return result.differences().isEmpty();
    }
  }
}
