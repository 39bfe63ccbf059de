/** Layers of containers and images: made, filled, stacked, mounted, compared, removed. */
@NullMarked
package io.lamina.layers;

import org.jspecify.annotations.NullMarked;
