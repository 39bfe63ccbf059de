/** Docker's GraphDriver protocol over a unix socket; layers are kept elsewhere. */
@NullMarked
package io.lamina.node.graphdriver;

import org.jspecify.annotations.NullMarked;
