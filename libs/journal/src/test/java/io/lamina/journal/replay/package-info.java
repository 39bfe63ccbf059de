@NullMarked
package io.lamina.journal.replay;

import org.jspecify.annotations.NullMarked;
