@NullMarked
package io.lamina.journal.site;

import org.jspecify.annotations.NullMarked;
