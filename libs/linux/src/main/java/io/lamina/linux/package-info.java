/** The few Linux system calls that the JDK does not offer, on file descriptors and raw names. */
@NullMarked
package io.lamina.linux;

import org.jspecify.annotations.NullMarked;
