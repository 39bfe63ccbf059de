/** Merged images: catalog arithmetic on the layers of an image, and what Apptainer expects beside them. */
@NullMarked
package io.lamina.converter.flat;

import org.jspecify.annotations.NullMarked;
