package io.lamina.converter.flat;

import io.lamina.converter.layer.ConversionReport;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.messaging.event.WorkFigures;

/**
 * A merged tree whose catalogs and own small files are stored. Immutable.
 *
 * @param report what could not be taken over as it was
 */
public record MergedImage(Graft graft, WorkFigures figures, ConversionReport report) {}
