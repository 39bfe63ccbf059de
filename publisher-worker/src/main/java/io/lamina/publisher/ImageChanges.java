package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.messaging.event.Event.ImagePlanned;
import io.lamina.messaging.event.PlannedPlatform;
import io.lamina.messaging.event.StoredFile;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.RepositoryLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * What makes a planned image visible: its metadata and its links, without layers and merged trees.
 *
 * <p>Source: docs/protocol/transactions.md, "Images".
 */
record ImageChanges(List<CatalogChange> changes, List<Step.NewFile> files) {
  private static final String DEFAULT_ARCHITECTURE = "amd64";

  /** Names that clients use for an architecture, and the folders that may stand for each. */
  private static final Map<String, List<String>> ALIASES = aliases();

  ImageChanges {
    changes = List.copyOf(changes);
    files = List.copyOf(files);
  }

  /**
   * @param exists tells what the repository shows already
   * @throws RepositoryException.Rejected if the plan's names cannot be published
   */
  static ImageChanges of(
      ImagePlanned plan, boolean flat, ThinDescriptors thin, Predicate<RepositoryPath> exists) {
    List<CatalogChange> changes = new ArrayList<>();
    List<Step.NewFile> files = new ArrayList<>();
    if (plan.platforms().isEmpty()) {
      throw new RepositoryException.Rejected("the plan of " + plan.image() + " names no platform");
    }
    Map<String, PlannedPlatform> folders = platformFolders(plan);
    Map.Entry<String, PlannedPlatform> byDefault = defaultOf(folders);

    describe(plan, byDefault.getValue(), RepositoryLayout.metadata(plan.publicName()), thin)
        .addTo(changes, files);
    RepositoryPath publicLink = RepositoryLayout.publicLink(plan.publicName());
    if (plan.platforms().size() == 1) {
      if (flat) {
        changes.add(link(publicLink, flatOf(byDefault.getValue())));
      }
      return new ImageChanges(changes, files);
    }

    folders.forEach(
        (folder, platform) -> {
          describe(
                  plan,
                  platform,
                  RepositoryLayout.platformMetadata(folder, plan.publicName()),
                  thin)
              .addTo(changes, files);
          if (flat) {
            changes.add(
                link(RepositoryLayout.platformLink(folder, plan.publicName()), flatOf(platform)));
          }
        });
    if (flat) {
      changes.addAll(newAliases(folders, exists));
      changes.add(
          new CatalogChange.PutSymlink(
              publicLink, RepositoryLayout.variantTarget(plan.publicName(), byDefault.getKey())));
    }
    return new ImageChanges(changes, files);
  }

  private void addTo(List<CatalogChange> allChanges, List<Step.NewFile> allFiles) {
    allChanges.addAll(changes);
    allFiles.addAll(files);
  }

  private static ImageChanges describe(
      ImagePlanned plan, PlannedPlatform platform, RepositoryPath folder, ThinDescriptors thin) {
    List<Digest> layers =
        platform.layers().stream().map(LayerDescriptor::blob).map(b -> b.digest()).toList();
    return new ImageChanges(
        List.of(
            file(folder.resolve("manifest.json"), platform.manifest(), platform.manifestDigest()),
            file(folder.resolve("config.json"), platform.config(), platform.imageId())),
        List.of(
            new Step.NewFile(
                folder.resolve("thin.json"), thin.write(plan.repository(), plan.image(), layers))));
  }

  /** With the registry's name for it, by which it can be fetched again after the tag has moved. */
  private static CatalogChange file(RepositoryPath path, StoredFile stored, Digest digest) {
    return new CatalogChange.PutFile(
        path, stored.object(), stored.sizeBytes(), Optional.of(digest.hex()));
  }

  private static CatalogChange link(RepositoryPath at, RepositoryPath to) {
    return new CatalogChange.PutSymlink(at, RepositoryLayout.relativeTarget(at, to));
  }

  private static RepositoryPath flatOf(PlannedPlatform platform) {
    return RepositoryLayout.flat(platform.imageId().hex());
  }

  /**
   * Folder names by platform, in the plan's order. 64-bit ARM has one variant in practice, which
   * images name or not, so it is found under both names.
   */
  private static Map<String, PlannedPlatform> platformFolders(ImagePlanned plan) {
    Map<String, PlannedPlatform> folders = new LinkedHashMap<>();
    for (PlannedPlatform planned : plan.platforms()) {
      Platform platform = planned.platform();
      String variant = platform.variant().orElse("");
      folders.putIfAbsent(
          RepositoryLayout.platformFolder(platform.architecture(), variant), planned);
      if (platform.architecture().equals("arm64") && (variant.isEmpty() || variant.equals("v8"))) {
        folders.putIfAbsent("arm64", planned);
        folders.putIfAbsent("arm64:v8", planned);
      }
    }
    return folders;
  }

  private static Map.Entry<String, PlannedPlatform> defaultOf(
      Map<String, PlannedPlatform> folders) {
    return folders.entrySet().stream()
        .filter(e -> e.getKey().equals(DEFAULT_ARCHITECTURE))
        .findFirst()
        .orElseGet(() -> folders.entrySet().iterator().next());
  }

  private static List<CatalogChange> newAliases(
      Map<String, PlannedPlatform> folders, Predicate<RepositoryPath> exists) {
    List<CatalogChange> changes = new ArrayList<>();
    ALIASES.forEach(
        (alias, candidates) -> {
          RepositoryPath path = RepositoryLayout.platformAlias(alias);
          if (!folders.containsKey(alias)) {
            candidates.stream()
                .filter(folders::containsKey)
                .findFirst()
                .filter(folder -> !exists.test(path))
                .ifPresent(folder -> changes.add(new CatalogChange.PutSymlink(path, folder)));
          }
        });
    return changes;
  }

  private static Map<String, List<String>> aliases() {
    Map<String, List<String>> aliases = new LinkedHashMap<>();
    aliases.put("aarch64", List.of("arm64"));
    aliases.put("armel", List.of("arm:v6", "arm:v5"));
    aliases.put("armhf", List.of("arm", "arm:v7"));
    aliases.put("armv6l", List.of("arm:v6"));
    aliases.put("armv7l", List.of("arm:v7", "arm"));
    aliases.put("i386", List.of("386"));
    aliases.put("i686", List.of("386"));
    aliases.put("x86-64", List.of("amd64"));
    aliases.put("x86_64", List.of("amd64"));
    return aliases;
  }
}
