/** The zlib streams in which objects are stored. */
@NullMarked
package io.lamina.cvmfs.compression;

import org.jspecify.annotations.NullMarked;
