package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.repository.RepositoryLayout;
import io.lamina.repository.RepositoryView;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** What the repository's catalogs say at the revision that the view looks at. */
final class RepositoryContents implements PublishedContents {
  private final RepositoryView view;

  RepositoryContents(RepositoryView view) {
    this.view = view;
  }

  @Override
  public Optional<Layer> layer(Digest blob) {
    if (!view.isCatalog(RepositoryLayout.layer(blob.hex()))) {
      return Optional.empty();
    }
    return Optional.of(
        new Layer(
            view.lookup(RepositoryLayout.layerDiffId(blob.hex()))
                .filter(CatalogEntry::isSymlink)
                .flatMap(RepositoryContents::digest)));
  }

  /** Somebody else's link says nothing: the layer is then converted again. */
  private static Optional<Digest> digest(CatalogEntry link) {
    try {
      return Optional.of(
          Digest.parse(new String(link.symlinkTarget(), StandardCharsets.ISO_8859_1)));
    } catch (ImageException.Rejected e) {
      return Optional.empty();
    }
  }

  @Override
  public Optional<Graft> layerGraft(Digest blob) {
    return view.graftAt(RepositoryLayout.layer(blob.hex()));
  }

  @Override
  public boolean hasFlat(Digest imageId) {
    return view.isCatalog(RepositoryLayout.flat(imageId.hex()));
  }

  @Override
  public boolean exists(RepositoryPath path) {
    return view.lookup(path).isPresent();
  }
}
