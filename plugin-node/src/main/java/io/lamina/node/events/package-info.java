/** Hears of new revisions and shows them on this node. */
@NullMarked
package io.lamina.node.events;

import org.jspecify.annotations.NullMarked;
