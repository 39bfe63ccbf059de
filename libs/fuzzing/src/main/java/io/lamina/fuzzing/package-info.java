/** Hostile inputs for readers of foreign bytes; used by tests alone. */
@NullMarked
package io.lamina.fuzzing;

import org.jspecify.annotations.NullMarked;
