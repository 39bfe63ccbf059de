@NullMarked
package io.lamina.layers.archive;

import org.jspecify.annotations.NullMarked;
