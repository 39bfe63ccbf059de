/** The lamina command: composition roots of all processes. */
@NullMarked
package io.lamina.standalone;

import org.jspecify.annotations.NullMarked;
