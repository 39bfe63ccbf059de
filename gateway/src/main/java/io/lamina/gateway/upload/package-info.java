/** Layer archives that nodes upload. */
@NullMarked
package io.lamina.gateway.upload;

import org.jspecify.annotations.NullMarked;
