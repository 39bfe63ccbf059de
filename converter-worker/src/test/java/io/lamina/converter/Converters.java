package io.lamina.converter;

import io.lamina.converter.thin.PublishedThinImages;
import io.lamina.converter.work.LayerConversion;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.catalog.Xattrs;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.image.ImageSources;
import io.lamina.image.layer.LayerLimits;
import io.lamina.image.layer.LayerReader;
import io.lamina.image.registry.Registries;
import io.lamina.image.thin.ThinImagePusher;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.event.Event.LayerConverted;
import io.lamina.messaging.event.WorkFigures;
import io.lamina.repository.RepositoryLayout;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.util.List;
import java.util.Random;

/** Converter processes as tests need them. */
final class Converters {
  private Converters() {}

  static LayerConversion layers() {
    return (work, blob, sink, progress) -> {
      try (LayerReader reader = LayerReader.open(work.layer(), blob, LayerLimits.DEFAULT)) {
        while (reader.next().isPresent()) {}
        var totals = reader.finish();
        CompressedObject o =
            CompressedObject.ofStored(
                work.layer().diffId().toString().getBytes(java.nio.charset.StandardCharsets.UTF_8),
                HashAlgorithm.SHA1);
        boolean fresh = sink.put(ObjectKind.CATALOG, o.hash(), o.bytes(), 0, o.bytes().length);
        sink.flush();
        progress.at(totals.compressedBytes(), totals.compressedBytes());
        return new LayerConverted(
            work.repository(),
            work.layer(),
            new Graft(
                RepositoryLayout.layer(work.layer().blob().digest().hex()),
                o.hash(),
                10,
                new CatalogEntry(
                    CatalogEntry.DIRECTORY | 0755, 0, 0, 4096, 0, -1, 0, 2, null,
                    CompressionAlgorithm.ZLIB, new byte[0], Xattrs.NONE, List.of()),
                Counters.ZERO),
            new WorkFigures(
                totals.compressedBytes(), totals.unpackedBytes(), 1, 1, fresh ? 1 : 0, 0, 0, 0));
      }
    };
  }

  static ConverterProcess start(
      KafkaSettings kafka,
      RepositoryStores stores,
      ImageSources sources,
      Registries registries,
      ConverterSettings settings) {
    return start(kafka, stores, sources, registries, settings, layers());
  }

  static ConverterProcess start(
      KafkaSettings kafka,
      RepositoryStores stores,
      ImageSources sources,
      Registries registries,
      ConverterSettings settings,
      LayerConversion layers) {
    ConverterProcess process =
        new ConverterProcess(
            settings,
            new ConverterProcess.Surroundings(
                kafka,
                stores,
                sources,
                Clock.systemUTC(),
                new Random(),
                new SimpleMeterRegistry()),
            new ConverterProcess.Crafts(
                layers,
                (_, _, _) -> {
                  throw new ConverterException.Rejected("no merges here");
                },
                new PublishedThinImages(new ThinImagePusher(registries))));
    process.start();
    return process;
  }
}
