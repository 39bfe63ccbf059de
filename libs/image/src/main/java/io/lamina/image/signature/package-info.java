/** Signatures of images, as cosign keeps them in registries. Knows no registry itself. */
@NullMarked
package io.lamina.image.signature;

import org.jspecify.annotations.NullMarked;
