package io.lamina.journal.site;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.RepositoryLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What one change of another site is about. Only what this software's layout has is anything; the
 * other site may say whatever it likes, and must not reach what lies outside of it. Immutable.
 *
 * <p>Source: docs/protocol/transactions.md, "Layout".
 */
sealed interface Place {
  /** A layer's whole tree. */
  record Layer(String hex) implements Place {}

  /** A layer's note of what it was verified against. */
  record DiffId(String hex) implements Place {}

  /** An image's merged tree. */
  record Flat(String hex) implements Place {}

  /** Something of the image of this public name. */
  record OfImage(String name) implements Place {}

  /** Another name for a platform. */
  record Alias() implements Place {}

  /** A catalog becomes two: every site does that by itself. */
  record Size() implements Place {}

  /** A tree goes: every site collects its own garbage. */
  record Gone() implements Place {}

  /** Nothing that this software's layout has. */
  record Elsewhere() implements Place {}

  /** Longer metadata no registry hands out. */
  long MAX_FILE_BYTES = 16 << 20;

  Pattern LAYER = Pattern.compile("/\\.layers/[0-9a-f]{2}/([0-9a-f]{64})(/layerfs|/diff-id)?");
  Pattern FLAT = Pattern.compile("/\\.flat/[0-9a-f]{2}/([0-9a-f]{64})");
  Pattern DIFF_ID = Pattern.compile("sha256:[0-9a-f]{64}");
  Pattern PLATFORM = Pattern.compile("[a-z0-9][a-z0-9._-]{0,31}(?::[a-z0-9][a-z0-9._-]{0,31})?");
  Pattern VARIANT_LINK =
      Pattern.compile("(?:\\.\\./)+\\.multiarch/\\$\\(CVMFS_ARCH:-([a-z0-9._:-]{1,70})\\)/.*");
  Pattern FLAT_LINK = Pattern.compile("(?:\\.\\./)+\\.flat/[0-9a-f]{2}/([0-9a-f]{64})");
  String METADATA = "/.metadata/";
  String MULTIARCH = "/.multiarch/";
  String PLATFORM_METADATA = "/.metadata/.multiarch/";
  List<String> FILES = List.of("manifest.json", "config.json", "thin.json");

  /** What the change is about. */
  static Place of(CatalogChange change) {
    if (change instanceof CatalogChange.Split) {
      return new Size();
    }
    RepositoryPath path = change.path();
    if (!isText(path)) {
      return new Elsewhere();
    }
    return switch (change) {
      case CatalogChange.Split _ -> new Size();
      case CatalogChange.Attach attach -> tree(attach);
      case CatalogChange.PutFile file ->
          file.sizeBytes() >= 0 && file.sizeBytes() <= MAX_FILE_BYTES ? file(path) : none();
      case CatalogChange.PutSymlink link -> link(link);
      case CatalogChange.Remove _ -> removed(path);
    };
  }

  /** The merged tree that an image's link leads to. */
  static Optional<String> flatOf(CatalogChange change) {
    if (change instanceof CatalogChange.PutSymlink link) {
      Matcher target = FLAT_LINK.matcher(link.target());
      return target.matches() ? Optional.of(target.group(1)) : Optional.empty();
    }
    return Optional.empty();
  }

  private static Place none() {
    return new Elsewhere();
  }

  private static boolean isText(RepositoryPath path) {
    byte[] bytes = path.bytes();
    for (byte b : bytes) {
      if (b <= ' ' || b == 0x7f) {
        return false;
      }
    }
    return new String(bytes, StandardCharsets.US_ASCII).equals(path.toString());
  }

  private static Place tree(CatalogChange.Attach attach) {
    String text = attach.path().toString();
    Matcher layer = LAYER.matcher(text);
    if (layer.matches() && attach.path().equals(RepositoryLayout.layer(layer.group(1)))) {
      return new Layer(layer.group(1));
    }
    Matcher flat = FLAT.matcher(text);
    if (flat.matches() && attach.path().equals(RepositoryLayout.flat(flat.group(1)))) {
      return new Flat(flat.group(1));
    }
    return none();
  }

  private static Place file(RepositoryPath path) {
    String text = path.toString();
    int slash = text.lastIndexOf('/');
    if (!text.startsWith(METADATA) || !FILES.contains(text.substring(slash + 1))) {
      return none();
    }
    return metadata(text.substring(0, slash));
  }

  /**
   * @param folder {@code .metadata[/.multiarch/PLATFORM]/NAME}
   */
  private static Place metadata(String folder) {
    if (folder.length() <= METADATA.length()) {
      return none();
    }
    if (folder.startsWith(PLATFORM_METADATA)) {
      return platform(folder.substring(PLATFORM_METADATA.length()));
    }
    return image(folder.substring(METADATA.length()));
  }

  private static Place platform(String platformAndName) {
    int slash = platformAndName.indexOf('/');
    return slash > 0 && PLATFORM.matcher(platformAndName.substring(0, slash)).matches()
        ? image(platformAndName.substring(slash + 1))
        : none();
  }

  private static Place image(String name) {
    int last = name.lastIndexOf('/');
    boolean isVersion = name.indexOf(':', last) > 0 || name.indexOf('@', last) > 0;
    if (last < 1 || !isVersion) {
      return none();
    }
    try {
      RepositoryLayout.publicLink(name);
      return new OfImage(name);
    } catch (RepositoryException.Rejected | CvmfsException.Rejected e) {
      return none();
    }
  }

  private static Place link(CatalogChange.PutSymlink link) {
    String text = link.path().toString();
    Matcher layer = LAYER.matcher(text);
    if (layer.matches()) {
      return link.path().equals(RepositoryLayout.layerDiffId(layer.group(1)))
              && DIFF_ID.matcher(link.target()).matches()
          ? new DiffId(layer.group(1))
          : none();
    }
    if (text.startsWith(MULTIARCH) && text.indexOf('/', MULTIARCH.length()) < 0) {
      return PLATFORM.matcher(text.substring(MULTIARCH.length())).matches()
              && PLATFORM.matcher(link.target()).matches()
          ? new Alias()
          : none();
    }
    Place place = nameOfLink(text);
    return place instanceof OfImage image && leadsToItsTree(link, image.name()) ? place : none();
  }

  private static Place nameOfLink(String text) {
    if (text.startsWith(MULTIARCH)) {
      return platform(text.substring(MULTIARCH.length()));
    }
    return text.startsWith("/.") ? none() : image(text.substring(1));
  }

  private static boolean leadsToItsTree(CatalogChange.PutSymlink link, String name) {
    Optional<String> flat = flatOf(link);
    if (flat.isPresent()) {
      return link.target()
          .equals(RepositoryLayout.relativeTarget(link.path(), RepositoryLayout.flat(flat.get())));
    }
    Matcher variant = VARIANT_LINK.matcher(link.target());
    return variant.matches()
        && PLATFORM.matcher(variant.group(1)).matches()
        && link.path().equals(RepositoryLayout.publicLink(name))
        && link.target().equals(RepositoryLayout.variantTarget(name, variant.group(1)));
  }

  private static Place removed(RepositoryPath path) {
    String text = path.toString();
    if (LAYER.matcher(text).matches() || FLAT.matcher(text).matches()) {
      return new Gone();
    }
    if (text.startsWith(METADATA)) {
      return metadata(text);
    }
    return nameOfLink(text);
  }
}
