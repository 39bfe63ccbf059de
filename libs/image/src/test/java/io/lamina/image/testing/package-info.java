/** Images made by tests, for this module's tests and those of its users (classifier tests). */
@NullMarked
package io.lamina.image.testing;

import org.jspecify.annotations.NullMarked;
