/** What an operator sets. */
@NullMarked
package io.lamina.gateway.settings;

import org.jspecify.annotations.NullMarked;
