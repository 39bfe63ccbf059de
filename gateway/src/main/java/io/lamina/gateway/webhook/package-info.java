/** Registries that say by themselves what was pushed to them. */
@NullMarked
package io.lamina.gateway.webhook;

import org.jspecify.annotations.NullMarked;
