/** Reads a published repository and trusts nothing that is not signed or named by a hash. */
@NullMarked
package io.lamina.cvmfs.reader;

import org.jspecify.annotations.NullMarked;
