package io.lamina.journal.site;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.reader.TrustedManifest;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.journal.JournalException;
import io.lamina.journal.replay.ObjectSources;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.RepositoryLayout;
import io.lamina.repository.RepositoryView;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/** Another site's repository over its object sources. For one thread. */
final class SourceRepository implements OtherSite {
  private static final int MAX_PLATFORMS = 200;

  private final ObjectSources objects;
  private final RepositoryFiles head;
  private final Optional<ReaderSettings> keys;

  /**
   * @param head where its manifest and whitelist are; stays the caller's
   * @param keys its public keys; without them nothing is asked of its manifest
   */
  SourceRepository(ObjectSources objects, RepositoryFiles head, Optional<ReaderSettings> keys) {
    this.objects = objects;
    this.head = head;
    this.keys = keys;
  }

  @Override
  public Optional<byte[]> file(ContentHash object, int maxBytes) {
    Optional<byte[]> stored = objects.read(ObjectKind.FILE, object, maxBytes + 4096);
    try {
      return stored.map(bytes -> Decompression.inflate(bytes, maxBytes));
    } catch (CvmfsException.Corrupt e) {
      throw new JournalException.Corrupt("object " + object + ": " + e.getMessage(), e);
    }
  }

  @Override
  public Shown at(ContentHash root) {
    return new View(RepositoryView.ofRoot(root, this::catalog));
  }

  @Override
  public Optional<Shown> now() {
    return manifest().map(manifest -> at(manifest.rootCatalog()));
  }

  @Override
  public OptionalLong revisionNow() {
    return manifest().map(m -> OptionalLong.of(m.revision())).orElseGet(OptionalLong::empty);
  }

  private Optional<Manifest> manifest() {
    try {
      return keys.map(settings -> TrustedManifest.fetch(head, settings).manifest());
    } catch (CvmfsException.Retryable | CvmfsException.NotFound e) {
      throw new JournalException.Retryable("cannot read the manifest: " + e.getMessage(), e);
    } catch (CvmfsException e) {
      throw new JournalException.Rejected(
          "the manifest is not to be trusted: " + e.getMessage(), e);
    }
  }

  private byte[] catalog(ContentHash hash, int maxBytes) {
    return objects
        .read(ObjectKind.CATALOG, hash, maxBytes)
        .orElseThrow(
            () ->
                new RepositoryException.Corrupt(
                    "catalog " + hash + " is not there any more", null));
  }

  /** Closes with the view. */
  private record View(RepositoryView view) implements Shown {
    @Override
    public Optional<Graft> graftAt(RepositoryPath path) {
      return ask(shown -> shown.graftAt(path));
    }

    @Override
    public Optional<ContentHash> catalogAt(RepositoryPath path) {
      return ask(shown -> shown.catalogAt(path));
    }

    @Override
    public Optional<CatalogEntry> lookup(RepositoryPath path) {
      return ask(shown -> shown.lookup(path));
    }

    @Override
    public List<RepositoryPath> pathsOf(String publicName) {
      List<RepositoryPath> paths = new ArrayList<>();
      for (String file : Place.FILES) {
        paths.add(RepositoryLayout.metadata(publicName).resolve(file));
      }
      for (String platform : platforms(RepositoryLayout.allPlatformMetadata())) {
        for (String file : Place.FILES) {
          paths.add(RepositoryLayout.platformMetadata(platform, publicName).resolve(file));
        }
      }
      for (String platform : platforms(RepositoryLayout.allPlatformLinks())) {
        paths.add(RepositoryLayout.platformLink(platform, publicName));
      }
      paths.add(RepositoryLayout.publicLink(publicName));
      return paths;
    }

    @Override
    public List<RepositoryPath> aliases() {
      return platforms(RepositoryLayout.allPlatformLinks()).stream()
          .map(name -> RepositoryLayout.allPlatformLinks().resolve(name))
          .toList();
    }

    private List<String> platforms(RepositoryPath parent) {
      return ask(shown -> shown.list(parent)).stream()
          .map(name -> new String(name, StandardCharsets.UTF_8))
          .filter(name -> Place.PLATFORM.matcher(name).matches())
          .limit(MAX_PLATFORMS)
          .toList();
    }

    private <T> T ask(Function<RepositoryView, T> question) {
      try {
        return question.apply(view);
      } catch (RepositoryException.Corrupt e) {
        throw new RevisionGone(String.valueOf(e.getMessage()), e);
      }
    }

    @Override
    public void close() {
      view.close();
    }
  }
}
