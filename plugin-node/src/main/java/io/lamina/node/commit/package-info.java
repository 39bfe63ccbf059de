/** Publishes what containers wrote, so that a commit on a thin image is thin too. */
@NullMarked
package io.lamina.node.commit;

import org.jspecify.annotations.NullMarked;
