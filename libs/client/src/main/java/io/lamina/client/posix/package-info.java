/** The C library's calls that the client needs and the JDK does not offer. */
@NullMarked
package io.lamina.client.posix;

import org.jspecify.annotations.NullMarked;
