/** The demonstration: a real image from files of this machine, converted, published, verified. */
@NullMarked
package io.lamina.standalone.demo;

import org.jspecify.annotations.NullMarked;
