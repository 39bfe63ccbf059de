/** Events for those who watch. */
@NullMarked
package io.lamina.gateway.live;

import org.jspecify.annotations.NullMarked;
