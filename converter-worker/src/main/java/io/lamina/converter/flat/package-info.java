/** Merged images: the layers' catalogs laid over each other, and what runtimes want to find. */
@NullMarked
package io.lamina.converter.flat;

import org.jspecify.annotations.NullMarked;
