/** Directory trees in memory: built from layers, merged, written as catalogs and read from them. */
@NullMarked
package io.lamina.cvmfs.tree;

import org.jspecify.annotations.NullMarked;
