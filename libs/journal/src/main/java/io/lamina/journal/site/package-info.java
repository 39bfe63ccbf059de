/** Following the journals of other sites: docs/sites.md. */
@NullMarked
package io.lamina.journal.site;

import org.jspecify.annotations.NullMarked;
