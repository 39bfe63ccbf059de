/** Health and metrics over HTTP of processes that serve no API. */
@NullMarked
package io.lamina.status;

import org.jspecify.annotations.NullMarked;
