/** Tests of trust. */
@NullMarked
package io.lamina.cvmfs.signing;

import org.jspecify.annotations.NullMarked;
