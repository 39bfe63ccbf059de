/** Archives into directories and back: unpacking that stays in its root, packing that repeats. */
@NullMarked
package io.lamina.layers.archive;

import org.jspecify.annotations.NullMarked;
