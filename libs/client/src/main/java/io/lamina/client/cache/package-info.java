/** Objects on disk: bounded, content-addressed, safe to kill. */
@NullMarked
package io.lamina.client.cache;

import org.jspecify.annotations.NullMarked;
