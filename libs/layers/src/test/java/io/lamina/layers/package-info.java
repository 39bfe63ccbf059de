@NullMarked
package io.lamina.layers;

import org.jspecify.annotations.NullMarked;
