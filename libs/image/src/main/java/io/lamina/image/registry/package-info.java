/** Registries by the OCI distribution protocol: pulling, listing, and pushing small images. */
@NullMarked
package io.lamina.image.registry;

import org.jspecify.annotations.NullMarked;
