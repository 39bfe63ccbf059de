/** Compares what was published with the image that it came from. */
@NullMarked
package io.lamina.standalone.verify;

import org.jspecify.annotations.NullMarked;
