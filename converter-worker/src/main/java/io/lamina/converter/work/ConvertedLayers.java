package io.lamina.converter.work;

import io.lamina.converter.layer.ConversionReport;
import io.lamina.converter.layer.ConvertedLayer;
import io.lamina.converter.layer.LayerConverter;
import io.lamina.converter.layer.LayerWork;
import io.lamina.converter.layer.ObjectSink;
import io.lamina.messaging.event.Event.LayerConverted;
import io.lamina.messaging.event.Event.LayerRequested;
import io.lamina.repository.RepositoryLayout;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.InputStream;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Layers for their place in a repository; tells what could not be taken over as it was.
 * Thread-safe.
 *
 * <p>Metrics: {@code converter.layer.decisions} by {@code decision}.
 */
public final class ConvertedLayers implements LayerConversion {
  private static final Logger LOG = LoggerFactory.getLogger(ConvertedLayers.class);

  private final LayerConverter converter;
  private final MeterRegistry meters;

  public ConvertedLayers(LayerConverter converter, MeterRegistry meters) {
    this.converter = converter;
    this.meters = meters;
  }

  @Override
  public LayerConverted convert(
      LayerRequested work, InputStream blob, ObjectSink sink, Jobs.Progress progress)
      throws InterruptedException {
    long total = work.layer().blob().sizeBytes();
    ConvertedLayer converted =
        converter.convert(
            new LayerWork(
                work.layer(),
                RepositoryLayout.layer(work.layer().blob().digest().hex()),
                work.timestampSeconds()),
            blob,
            sink,
            done -> progress.at(done, total));
    progress.at(total, total);
    tell(work, converted.report());
    return new LayerConverted(
        work.repository(), work.layer(), converted.graft(), converted.figures());
  }

  private void tell(LayerRequested work, ConversionReport report) {
    report
        .counts()
        .forEach(
            (decision, count) ->
                meters
                    .counter(
                        "converter.layer.decisions",
                        "decision",
                        decision.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                    .increment(count));
    if (!report.counts().isEmpty()) {
      LOG.atInfo()
          .addKeyValue("repository", work.repository())
          .addKeyValue("digest", work.layer().blob().digest())
          .addKeyValue("decisions", report.counts())
          .addKeyValue("first", report.notes().isEmpty() ? "" : report.notes().getFirst())
          .log("layer holds entries that could not be taken over as they were");
    }
  }
}
