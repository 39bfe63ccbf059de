@NullMarked
package io.lamina.journal;

import org.jspecify.annotations.NullMarked;
