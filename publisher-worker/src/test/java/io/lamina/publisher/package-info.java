@NullMarked
package io.lamina.publisher;

import org.jspecify.annotations.NullMarked;
