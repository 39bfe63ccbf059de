/** The gateway's client against servers that behave badly. */
@NullMarked
package io.lamina.standalone.client;

import org.jspecify.annotations.NullMarked;
