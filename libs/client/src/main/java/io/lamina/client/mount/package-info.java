/** A repository as the kernel sees it: nodes, their lives over revisions, and open files. */
@NullMarked
package io.lamina.client.mount;

import org.jspecify.annotations.NullMarked;
