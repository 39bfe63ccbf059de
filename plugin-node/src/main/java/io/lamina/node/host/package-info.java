/** What the servers of a node share on its host, whatever they speak. */
@NullMarked
package io.lamina.node.host;

import org.jspecify.annotations.NullMarked;
