@NullMarked
package io.lamina.layers.overlay;

import org.jspecify.annotations.NullMarked;
