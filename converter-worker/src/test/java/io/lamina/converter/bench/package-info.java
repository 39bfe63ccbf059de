/** Measurements that are run by hand. */
@NullMarked
package io.lamina.converter.bench;

import org.jspecify.annotations.NullMarked;
