/** The CVMFS repository format: names, hashes and paths that all other packages share. */
@NullMarked
package io.lamina.cvmfs;

import org.jspecify.annotations.NullMarked;
