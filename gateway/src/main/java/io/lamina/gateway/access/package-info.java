/** Who calls, and what that caller may do. */
@NullMarked
package io.lamina.gateway.access;

import org.jspecify.annotations.NullMarked;
