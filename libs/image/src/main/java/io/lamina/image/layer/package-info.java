/** Layer blobs as verified streams of entries: decompression, digests, tar dialects, limits. */
@NullMarked
package io.lamina.image.layer;

import org.jspecify.annotations.NullMarked;
