/** Opens the image that a reference names, wherever it lies. */
@NullMarked
package io.lamina.image.source;

import org.jspecify.annotations.NullMarked;
