/** What can go wrong in the client beside what goes wrong in the format. */
@NullMarked
package io.lamina.client.failure;

import org.jspecify.annotations.NullMarked;
