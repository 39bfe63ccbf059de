/** What the tests of all packages share. */
@NullMarked
package io.lamina.cvmfs;

import org.jspecify.annotations.NullMarked;
