/** The shipped processes under test. */
@NullMarked
package io.lamina.standalone.process;

import org.jspecify.annotations.NullMarked;
