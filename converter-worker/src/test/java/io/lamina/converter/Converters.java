package io.lamina.converter;

import io.lamina.converter.layer.LayerConverter;
import io.lamina.converter.layer.ObjectPipeline;
import io.lamina.converter.layer.PipelineSettings;
import io.lamina.converter.thin.PublishedThinImages;
import io.lamina.converter.work.ConvertedLayers;
import io.lamina.converter.work.FlatMerging;
import io.lamina.converter.work.LayerConversion;
import io.lamina.image.ImageSources;
import io.lamina.image.layer.LayerLimits;
import io.lamina.image.policy.ImagePolicy;
import io.lamina.image.registry.Registries;
import io.lamina.image.registry.RegistrySettings;
import io.lamina.image.source.ConfiguredImageSources;
import io.lamina.image.source.LocalAccess;
import io.lamina.image.thin.ThinImagePusher;
import io.lamina.messaging.KafkaSettings;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;

/** A converter process with all that it works with. */
final class Converters implements AutoCloseable {
  private final ObjectPipeline pipeline = new ObjectPipeline(PipelineSettings.byDefault());
  private final Registries registries = new Registries(RegistrySettings.DEFAULT);
  private final MeterRegistry meters = new SimpleMeterRegistry();
  private final ConverterProcess process;

  /** One that reads images from registries and from below a folder. */
  Converters(
      KafkaSettings kafka, RepositoryStores stores, Path images, ConverterSettings settings) {
    this(kafka, stores, images, settings, sources -> sources, layers -> layers);
  }

  /** One whose sources and conversion behave in another way. */
  Converters(
      KafkaSettings kafka,
      RepositoryStores stores,
      Path images,
      ConverterSettings settings,
      UnaryOperator<ImageSources> sources,
      UnaryOperator<LayerConversion> layers) {
    FlatMerging none =
        (_, _, _) -> {
          throw new ConverterException.Rejected("no merges here");
        };
    process =
        new ConverterProcess(
            settings,
            new ConverterProcess.Surroundings(
                kafka,
                stores,
                sources.apply(
                    new ConfiguredImageSources(
                        registries, new LocalAccess(List.of(images)), ImagePolicy.OPEN)),
                Clock.systemUTC(),
                new Random(),
                meters),
            new ConverterProcess.Crafts(
                layers.apply(
                    new ConvertedLayers(new LayerConverter(pipeline, LayerLimits.DEFAULT), meters)),
                none,
                new PublishedThinImages(new ThinImagePusher(registries, ImagePolicy.OPEN))));
    process.start();
  }

  MeterRegistry meters() {
    return meters;
  }

  @Override
  public void close() {
    process.close();
    registries.close();
    pipeline.close();
  }
}
