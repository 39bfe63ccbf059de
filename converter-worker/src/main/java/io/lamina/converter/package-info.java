/** The converter process: plans images, and does the work that publishers ask for. */
@NullMarked
package io.lamina.converter;

import org.jspecify.annotations.NullMarked;
