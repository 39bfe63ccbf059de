/** Tests of the check. */
@NullMarked
package io.lamina.cvmfs.check;

import org.jspecify.annotations.NullMarked;
