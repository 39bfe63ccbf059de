/** The event topics and the loops that work on them. */
@NullMarked
package io.lamina.messaging;

import org.jspecify.annotations.NullMarked;
