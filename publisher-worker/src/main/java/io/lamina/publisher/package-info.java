/** Coordinates each repository's images and commits its transactions. */
@NullMarked
package io.lamina.publisher;

import org.jspecify.annotations.NullMarked;
