@NullMarked
package io.lamina.standalone.bench;

import org.jspecify.annotations.NullMarked;
