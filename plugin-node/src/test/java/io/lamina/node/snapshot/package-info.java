@NullMarked
package io.lamina.node.snapshot;

import org.jspecify.annotations.NullMarked;
