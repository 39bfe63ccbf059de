/** Public for Java's sake only; not part of the module's surface. */
@NullMarked
package io.lamina.image.internal;

import org.jspecify.annotations.NullMarked;
