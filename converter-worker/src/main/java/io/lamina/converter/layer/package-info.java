/** Layers become objects and catalogs: reading, cutting, compressing, storing, the layer's tree. */
@NullMarked
package io.lamina.converter.layer;

import org.jspecify.annotations.NullMarked;
