@NullMarked
package io.lamina.node;

import org.jspecify.annotations.NullMarked;
