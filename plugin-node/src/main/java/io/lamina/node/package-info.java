/** The process on Docker hosts. Composition root. */
@NullMarked
package io.lamina.node;

import org.jspecify.annotations.NullMarked;
