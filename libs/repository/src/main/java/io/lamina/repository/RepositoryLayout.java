package io.lamina.repository;

import io.lamina.cvmfs.RepositoryPath;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Where images, layers and their metadata lie in a repository, and which folders are catalogs of
 * their own. Stateless and thread-safe.
 *
 * <p>Source: docs/protocol/transactions.md, "Layout".
 */
public final class RepositoryLayout {
  private static final int LAYER_DEPTH = 4;
  private static final int FLAT_DEPTH = 3;
  private static final Pattern SHA256_HEX = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern ARCHITECTURE = Pattern.compile("[a-z0-9][a-z0-9._-]{0,31}");
  private static final Pattern PUBLIC_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:@/+~-]*");
  private static final int MAX_PUBLIC_NAME_CHARS = 1024;

  private static final RepositoryPath LAYERS = RepositoryPath.of("/.layers");
  private static final RepositoryPath FLAT = RepositoryPath.of("/.flat");
  private static final RepositoryPath METADATA = RepositoryPath.of("/.metadata");
  private static final RepositoryPath MULTIARCH = RepositoryPath.of("/.multiarch");

  private RepositoryLayout() {}

  /**
   * Mount point of a layer's tree.
   *
   * @param layerHex SHA-256 of the compressed layer, 64 hex digits
   */
  public static RepositoryPath layer(String layerHex) {
    return layerFolder(layerHex).resolve("layerfs");
  }

  /**
   * The symbolic link whose target is the layer's diff id ({@code sha256:…}): what the layer was
   * verified against when it was published, without an object of its own.
   */
  public static RepositoryPath layerDiffId(String layerHex) {
    return layerFolder(layerHex).resolve("diff-id");
  }

  /** Mount point of an image's merged tree. */
  public static RepositoryPath flat(String imageIdHex) {
    return fanOut(FLAT, imageIdHex);
  }

  /** Folder of all that is about one layer. */
  public static RepositoryPath layerFolder(String layerHex) {
    return fanOut(LAYERS, layerHex);
  }

  /** Where images' metadata lies. */
  public static RepositoryPath allMetadata() {
    return METADATA;
  }

  /** Where the metadata of single platforms lies, a folder for each. */
  public static RepositoryPath allPlatformMetadata() {
    return METADATA.resolve(".multiarch");
  }

  /** Where the links of single platforms lie, a folder for each. */
  public static RepositoryPath allPlatformLinks() {
    return MULTIARCH;
  }

  /** Whether this is one of the folders of layers or merged trees, or lies in them. */
  public static boolean isAmongTrees(RepositoryPath path) {
    return path.startsWith(LAYERS) || path.startsWith(FLAT);
  }

  /**
   * Whether a layer's or an image's whole tree hangs at this path: replaced as one, never edited.
   */
  public static boolean isTree(RepositoryPath path) {
    return path.startsWith(LAYERS) && depth(path) == LAYER_DEPTH
        || path.startsWith(FLAT) && depth(path) == FLAT_DEPTH;
  }

  /** The link that people use: {@code REGISTRY/REPO:TAG} below the root. */
  public static RepositoryPath publicLink(String publicName) {
    return below(RepositoryPath.ROOT, publicName);
  }

  /** Folder of an image's manifest, config and thin descriptor. */
  public static RepositoryPath metadata(String publicName) {
    return below(METADATA, publicName);
  }

  /** The link of an image for one platform, such as {@code .multiarch/arm:v7/REGISTRY/REPO:TAG}. */
  public static RepositoryPath platformLink(String platformFolder, String publicName) {
    return below(MULTIARCH.resolve(platformFolder), publicName);
  }

  /** As {@link #metadata}, for one platform of several. */
  public static RepositoryPath platformMetadata(String platformFolder, String publicName) {
    return below(METADATA.resolve(".multiarch").resolve(platformFolder), publicName);
  }

  /** Another name for a platform's folder, such as what {@code uname -m} says. */
  public static RepositoryPath platformAlias(String alias) {
    return MULTIARCH.resolve(checkedArchitecture(alias));
  }

  /** {@code ARCHITECTURE[:VARIANT]}. */
  public static String platformFolder(String architecture, String variantOrEmpty) {
    return checkedArchitecture(architecture)
        + (variantOrEmpty.isEmpty() ? "" : ":" + checkedArchitecture(variantOrEmpty));
  }

  /** Text of a symbolic link at {@code link} that leads to {@code target} whatever the mount. */
  public static String relativeTarget(RepositoryPath link, RepositoryPath target) {
    return "../".repeat(depth(link.parent())) + target.toString().substring(1);
  }

  /**
   * Text of the public link of an image with several platforms: the client's {@code CVMFS_ARCH}
   * chooses.
   */
  public static String variantTarget(String publicName, String defaultPlatformFolder) {
    RepositoryPath link = publicLink(publicName);
    return "../".repeat(depth(link.parent()))
        + ".multiarch/$(CVMFS_ARCH:-"
        + defaultPlatformFolder
        + ")/"
        + publicName;
  }

  /**
   * The folders on the way to {@code path} that are catalogs of their own from the beginning, the
   * outermost first: {@code .layers} and {@code .flat} with their fan-out, {@code .metadata} and
   * {@code .multiarch} with their first level, and each registry.
   */
  public static List<RepositoryPath> catalogFolders(RepositoryPath path) {
    List<RepositoryPath> ancestors = ancestors(path);
    int levels = 1;
    if (path.startsWith(LAYERS)
        || path.startsWith(FLAT)
        || path.startsWith(METADATA)
        || path.startsWith(MULTIARCH)) {
      levels = 2;
    }
    return ancestors.subList(0, Math.min(levels, ancestors.size()));
  }

  /** Whether a large catalog on the way to {@code path} may be split below its root. */
  public static boolean splitsByGrowth(RepositoryPath path) {
    return !path.startsWith(LAYERS) && !path.startsWith(FLAT);
  }

  /** The directories above {@code path}, without the root, the outermost first. */
  static List<RepositoryPath> ancestors(RepositoryPath path) {
    List<RepositoryPath> ancestors = new ArrayList<>();
    for (RepositoryPath p = path; !p.isRoot() && !p.parent().isRoot(); p = p.parent()) {
      ancestors.addFirst(p.parent());
    }
    return ancestors;
  }

  static int depth(RepositoryPath path) {
    int depth = 0;
    for (RepositoryPath p = path; !p.isRoot(); p = p.parent()) {
      depth++;
    }
    return depth;
  }

  private static RepositoryPath fanOut(RepositoryPath folder, String hex) {
    if (!SHA256_HEX.matcher(hex).matches()) {
      throw new RepositoryException.Rejected(
          "not a SHA-256 digest (64 lower-case hex digits): '" + hex + "'");
    }
    return folder.resolve(hex.substring(0, 2)).resolve(hex);
  }

  /**
   * A public name becomes paths and link texts, so it may neither reach into the hidden folders nor
   * hold what a client expands.
   */
  private static RepositoryPath below(RepositoryPath folder, String publicName) {
    if (publicName.length() > MAX_PUBLIC_NAME_CHARS || !PUBLIC_NAME.matcher(publicName).matches()) {
      throw new RepositoryException.Rejected(
          "an image cannot be published as '"
              + publicName
              + "'; use at most "
              + MAX_PUBLIC_NAME_CHARS
              + " letters, digits and . _ : @ / + ~ -, starting with a letter or digit");
    }
    RepositoryPath result = folder;
    for (String component : publicName.split("/", -1)) {
      if (component.startsWith(".cvmfs")) {
        throw new RepositoryException.Rejected(
            "names that start with .cvmfs are CernVM-FS's own: '" + publicName + "'");
      }
      result = result.resolve(component);
    }
    return result;
  }

  private static String checkedArchitecture(String text) {
    if (!ARCHITECTURE.matcher(text).matches()) {
      throw new RepositoryException.Rejected("not an architecture or variant: '" + text + "'");
    }
    return text;
  }
}
