/** Container images: references, digests, manifests, and where they come from. */
@NullMarked
package io.lamina.image;

import org.jspecify.annotations.NullMarked;
