/** Containerd's snapshot service on a node's layers, with layers that repositories hold. */
@NullMarked
package io.lamina.node.snapshot;

import org.jspecify.annotations.NullMarked;
