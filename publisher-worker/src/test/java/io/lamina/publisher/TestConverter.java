package io.lamina.publisher;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.EditableCatalog;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.catalog.SealedCatalog;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.messaging.event.Event;
import io.lamina.repository.CatalogCompression;
import io.lamina.repository.ObjectUploads;
import io.lamina.repository.RepositoryLayout;
import io.lamina.storage.ObjectStore;
import java.nio.charset.StandardCharsets;

/** Answers work orders with catalogs that really lie in the store. */
final class TestConverter {
  private TestConverter() {}

  static Event answer(ObjectStore store, Event.Work work) {
    return switch (work) {
      case Event.LayerRequested layer ->
          new Event.LayerConverted(
              work.repository(),
              layer.layer(),
              graft(
                  store,
                  RepositoryLayout.layer(layer.layer().blob().digest().hex()),
                  layer.timestampSeconds()),
              TestEvents.FIGURES);
      case Event.FlatRequested flat ->
          new Event.FlatMerged(
              work.repository(),
              flat.imageId(),
              graft(store, RepositoryLayout.flat(flat.imageId().hex()), flat.timestampSeconds()),
              TestEvents.FIGURES);
      case Event.ThinRequested thin ->
          new Event.ThinPushed(
              work.repository(), thin.request(), thin.target(), TestEvents.digest("thin"));
    };
  }

  private static Graft graft(ObjectStore store, RepositoryPath path, long timestampSeconds) {
    try (ObjectCompressor compressor = CatalogCompression.FOR_PUBLISHERS.newCompressor();
        EditableCatalog catalog =
            EditableCatalog.createNested(
                path, CatalogEntry.directory(0755, 0, 0, timestampSeconds), HashAlgorithm.SHA1)) {
      ObjectUploads uploads = new ObjectUploads(store);
      byte[] content = path.toString().getBytes(StandardCharsets.UTF_8);
      ContentHash object = uploads.putFile(content, compressor);
      catalog.put(
          path.resolve("file"),
          CatalogEntry.file(object, content.length, 0644, timestampSeconds),
          nested -> Counters.ZERO);
      SealedCatalog sealed = catalog.seal(timestampSeconds);
      CompressedObject stored = compressor.compress(sealed.database(), HashAlgorithm.SHA1);
      uploads.put(ObjectKind.CATALOG, stored);
      return new Graft(
          path, stored.hash(), sealed.database().length, sealed.root(), sealed.total());
    }
  }
}
