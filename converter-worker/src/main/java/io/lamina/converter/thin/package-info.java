/** Thin images: built from published layers and pushed to a registry. */
@NullMarked
package io.lamina.converter.thin;

import org.jspecify.annotations.NullMarked;
