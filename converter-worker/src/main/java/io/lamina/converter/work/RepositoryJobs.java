package io.lamina.converter.work;

import io.lamina.converter.ConverterException;
import io.lamina.converter.RepositoryStores;
import io.lamina.converter.StoredFiles;
import io.lamina.converter.StoredObjects;
import io.lamina.converter.layer.ObjectSink;
import io.lamina.image.ImageReference;
import io.lamina.image.ImageSource;
import io.lamina.image.ImageSources;
import io.lamina.image.manifest.ImageConfig;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.FlatRequested;
import io.lamina.messaging.event.Event.LayerConverted;
import io.lamina.messaging.event.Event.LayerRequested;
import io.lamina.messaging.event.Event.ThinPushed;
import io.lamina.messaging.event.Event.ThinRequested;
import io.lamina.messaging.event.Event.Work;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.UploadArea;
import java.io.IOException;
import java.io.InputStream;

/**
 * The work itself: finds the repository's store and the layer's source, and hands both to who knows
 * the craft. Thread-safe.
 */
public final class RepositoryJobs implements Jobs {
  /** In place of an image reference: the layer was uploaded into the repository's storage. */
  static final String UPLOADED = "upload:";

  private final RepositoryStores stores;
  private final ImageSources sources;
  private final LayerConversion layers;
  private final FlatMerging merges;
  private final ThinPushing pushes;

  public RepositoryJobs(
      RepositoryStores stores,
      ImageSources sources,
      LayerConversion layers,
      FlatMerging merges,
      ThinPushing pushes) {
    this.stores = stores;
    this.sources = sources;
    this.layers = layers;
    this.merges = merges;
    this.pushes = pushes;
  }

  @Override
  public Event run(Work work, Progress progress) throws IOException, InterruptedException {
    ObjectStore store =
        stores
            .find(work.repository())
            .orElseThrow(
                () ->
                    // Another converter may have the definition already.
                    new ConverterException.Retryable(
                        "repository '"
                            + work.repository()
                            + "' is not known to this converter; give all converters the same"
                            + " repository definitions"));
    return switch (work) {
      case LayerRequested layer -> convert(layer, store, progress);
      case FlatRequested flat -> merges.merge(flat, store, progress);
      case ThinRequested thin -> push(thin, store, progress);
    };
  }

  private LayerConverted convert(LayerRequested work, ObjectStore store, Progress progress)
      throws IOException, InterruptedException {
    progress.at(0, work.layer().blob().sizeBytes());
    ObjectSink sink = StoredObjects.into(store);
    if (work.image().equals(UPLOADED)) {
      try (InputStream blob = store.open(UploadArea.keyOf(work.layer().blob().digest().hex()))) {
        return layers.convert(work, blob, sink, progress);
      }
    }
    try (ImageSource source = sources.open(ImageReference.parse(work.image()));
        InputStream blob = source.openBlob(work.layer().blob())) {
      return layers.convert(work, blob, sink, progress);
    }
  }

  private ThinPushed push(ThinRequested work, ObjectStore store, Progress progress) {
    byte[] config = StoredFiles.read(store, work.config(), ImageConfig.MAX_BYTES);
    ThinPushed pushed =
        new ThinPushed(work.repository(), work.request(), work.target(), pushes.push(work, config));
    progress.at(1, 1);
    return pushed;
  }
}
