/** Tests of history and reflog. */
@NullMarked
package io.lamina.cvmfs.history;

import org.jspecify.annotations.NullMarked;
