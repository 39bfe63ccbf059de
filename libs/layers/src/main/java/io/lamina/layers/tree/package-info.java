/** Directories of several layers seen as one, by their own files and without mounting them. */
@NullMarked
package io.lamina.layers.tree;

import org.jspecify.annotations.NullMarked;
