/** Repositories rebuilt from the journal of transactions. */
@NullMarked
package io.lamina.journal.replay;

import org.jspecify.annotations.NullMarked;
