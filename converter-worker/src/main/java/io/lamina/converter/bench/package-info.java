/** Input for measurements. */
@NullMarked
package io.lamina.converter.bench;

import org.jspecify.annotations.NullMarked;
