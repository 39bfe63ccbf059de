/**
 * Manifests, indexes and configs: reading them, and choosing and verifying one platform's image.
 */
@NullMarked
package io.lamina.image.manifest;

import org.jspecify.annotations.NullMarked;
