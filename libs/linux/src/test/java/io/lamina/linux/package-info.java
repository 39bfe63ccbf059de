@NullMarked
package io.lamina.linux;

import org.jspecify.annotations.NullMarked;
