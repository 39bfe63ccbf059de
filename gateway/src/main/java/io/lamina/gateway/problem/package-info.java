/** What a caller can have done wrong, and how it is said. */
@NullMarked
package io.lamina.gateway.problem;

import org.jspecify.annotations.NullMarked;
