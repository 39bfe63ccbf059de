/** Publishing through the original tools on a release manager machine. */
@NullMarked
package io.lamina.repository.releasemanager;

import org.jspecify.annotations.NullMarked;
