@NullMarked
package io.lamina.node.graphdriver;

import org.jspecify.annotations.NullMarked;
