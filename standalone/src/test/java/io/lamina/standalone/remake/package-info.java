@NullMarked
package io.lamina.standalone.remake;

import org.jspecify.annotations.NullMarked;
