/** Finds everything that is wrong with a repository. */
@NullMarked
package io.lamina.cvmfs.check;

import org.jspecify.annotations.NullMarked;
