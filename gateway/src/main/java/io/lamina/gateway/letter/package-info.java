/** Dead letters, as people see them. */
@NullMarked
package io.lamina.gateway.letter;

import org.jspecify.annotations.NullMarked;
