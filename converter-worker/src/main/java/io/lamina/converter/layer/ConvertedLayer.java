package io.lamina.converter.layer;

import io.lamina.cvmfs.catalog.Graft;
import io.lamina.messaging.event.WorkFigures;

/**
 * A layer whose objects and catalogs are stored and whose digests are right. Immutable.
 *
 * @param report what could not be taken over as it was
 */
public record ConvertedLayer(Graft graft, WorkFigures figures, ConversionReport report) {}
