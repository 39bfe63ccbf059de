@NullMarked
package io.lamina.node.docker;

import org.jspecify.annotations.NullMarked;
