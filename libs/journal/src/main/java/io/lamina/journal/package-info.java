/** The journal of transactions: as a topic, as a file, and replayed into a repository. */
@NullMarked
package io.lamina.journal;

import org.jspecify.annotations.NullMarked;
