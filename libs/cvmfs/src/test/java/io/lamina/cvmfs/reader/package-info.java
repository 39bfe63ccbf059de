/** Tests of reading. */
@NullMarked
package io.lamina.cvmfs.reader;

import org.jspecify.annotations.NullMarked;
