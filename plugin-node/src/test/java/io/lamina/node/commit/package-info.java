@NullMarked
package io.lamina.node.commit;

import org.jspecify.annotations.NullMarked;
