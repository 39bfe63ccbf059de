package io.lamina.converter;

import io.lamina.converter.layer.LayerConverter;
import io.lamina.converter.layer.ObjectPipeline;
import io.lamina.converter.layer.PipelineSettings;
import io.lamina.converter.thin.PublishedThinImages;
import io.lamina.converter.work.CatalogMerges;
import io.lamina.converter.work.ConvertedLayers;
import io.lamina.image.layer.LayerLimits;
import io.lamina.image.thin.ThinImagePusher;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * The crafts of a converter with this software's own tools, on one pipeline for all layers and
 * merges. Thread-safe; close it after the process that uses it.
 */
public final class StandardCrafts implements AutoCloseable {
  private final ObjectPipeline pipeline;
  private final ConverterProcess.Crafts crafts;

  /**
   * @param maxEntries of a merged image
   */
  public StandardCrafts(
      PipelineSettings settings,
      LayerLimits limits,
      int maxEntries,
      ThinImagePusher pusher,
      MeterRegistry meters) {
    this.pipeline = new ObjectPipeline(settings);
    this.crafts =
        new ConverterProcess.Crafts(
            new ConvertedLayers(new LayerConverter(pipeline, limits), meters),
            new CatalogMerges(pipeline, maxEntries),
            new PublishedThinImages(pusher));
  }

  public ConverterProcess.Crafts crafts() {
    return crafts;
  }

  @Override
  public void close() {
    pipeline.close();
  }
}
