/** Settings of the processes: read once, checked whole. */
@NullMarked
package io.lamina.settings;

import org.jspecify.annotations.NullMarked;
