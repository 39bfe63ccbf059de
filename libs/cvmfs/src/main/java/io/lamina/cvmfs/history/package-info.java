/** What a repository remembers: named snapshots and the log of what was ever referenced. */
@NullMarked
package io.lamina.cvmfs.history;

import org.jspecify.annotations.NullMarked;
