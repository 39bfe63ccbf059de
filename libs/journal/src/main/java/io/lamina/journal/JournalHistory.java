package io.lamina.journal;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.messaging.event.RequestId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a journal says of images: which revision made which of them show what. Stateless.
 *
 * <p>Source: docs/protocol/transactions.md, "Layout".
 */
public final class JournalHistory {
  private static final RepositoryPath METADATA = RepositoryPath.of("/.metadata");
  private static final RepositoryPath MULTIARCH = RepositoryPath.of("/.metadata/.multiarch");
  private static final String MANIFEST = "manifest.json";
  private static final Pattern MERGED_TREE = Pattern.compile("\\.flat/[0-9a-f]{2}/([0-9a-f]{64})");

  /**
   * One revision.
   *
   * @param writtenAt when it was said, soon after it had become visible
   * @param images whose link or manifest it changed; a removed folder stands for all in it
   * @param changes how many there were in all
   */
  public record Revision(
      long revision,
      Instant writtenAt,
      ContentHash root,
      List<ImageChange> images,
      List<RequestId> requests,
      int changes) {
    public Revision {
      images = List.copyOf(images);
      requests = List.copyOf(requests);
    }
  }

  /**
   * What a revision did to an image. Empty fields were not changed, or do not apply: an image for
   * several platforms has an id for each.
   *
   * @param publicName as {@code lamina ls} shows it
   * @param imageId digest of the config, 64 hex digits
   * @param manifest the object that holds the image's manifest
   * @param linked whether its link leads elsewhere since then
   */
  public record ImageChange(
      String publicName,
      Optional<String> imageId,
      Optional<ContentHash> manifest,
      boolean linked,
      boolean removed) {
    private ImageChange with(Optional<String> id) {
      return new ImageChange(publicName, id, manifest, true, false);
    }

    private ImageChange withManifest(ContentHash object) {
      return new ImageChange(publicName, imageId, Optional.of(object), linked, false);
    }
  }

  private JournalHistory() {}

  /**
   * Hands over the revisions, oldest first.
   *
   * @param image only those that changed it or a folder above it, and of their images only it
   */
  public static void read(
      Journal journal, RepositoryName repository, Optional<String> image, Consumer<Revision> sink) {
    journal.read(
        repository,
        entry -> {
          TransactionPublished event = entry.event();
          List<ImageChange> changed =
              images(event).stream()
                  .filter(change -> image.map(name -> concerns(change, name)).orElse(true))
                  .toList();
          if (image.isEmpty() || !changed.isEmpty()) {
            sink.accept(
                new Revision(
                    event.revision(),
                    entry.writtenAt(),
                    event.root(),
                    changed,
                    event.requests(),
                    event.changes().size()));
          }
          return true;
        });
  }

  private static boolean concerns(ImageChange change, String name) {
    return change.publicName().equals(name)
        || (change.removed() && name.startsWith(change.publicName() + "/"));
  }

  /** The images that a transaction changed, in its order. */
  static List<ImageChange> images(TransactionPublished event) {
    Map<String, ImageChange> changed = new LinkedHashMap<>();
    for (CatalogChange change : event.changes()) {
      RepositoryPath path = change.path();
      switch (change) {
        case CatalogChange.PutSymlink link when isPublic(path) -> {
          Matcher tree = MERGED_TREE.matcher(link.target());
          String name = name(path);
          changed.put(
              name,
              of(changed, name).with(tree.find() ? Optional.of(tree.group(1)) : Optional.empty()));
        }
        case CatalogChange.PutFile file when isManifest(path) -> {
          String name = name(path.parent()).substring(METADATA.toString().length());
          changed.put(name, of(changed, name).withManifest(file.object()));
        }
        case CatalogChange.Remove _ when isPublic(path) -> {
          String name = name(path);
          changed.put(name, new ImageChange(name, Optional.empty(), Optional.empty(), false, true));
        }
        case CatalogChange.PutSymlink _,
            CatalogChange.PutFile _,
            CatalogChange.Remove _,
            CatalogChange.Attach _,
            CatalogChange.Split _ -> {}
      }
    }
    return new ArrayList<>(changed.values());
  }

  private static ImageChange of(Map<String, ImageChange> changed, String name) {
    return changed.getOrDefault(
        name, new ImageChange(name, Optional.empty(), Optional.empty(), false, false));
  }

  private static boolean isPublic(RepositoryPath path) {
    return !path.isRoot() && !path.toString().startsWith("/.");
  }

  private static boolean isManifest(RepositoryPath path) {
    return path.startsWith(METADATA)
        && !path.startsWith(MULTIARCH)
        && path.toString().endsWith("/" + MANIFEST)
        && !path.parent().equals(METADATA);
  }

  /** Without the slash before it. */
  private static String name(RepositoryPath path) {
    return path.toString().substring(1);
  }
}
