/** Images in folders and tar files: OCI layouts and what {@code docker save} writes. */
@NullMarked
package io.lamina.image.archive;

import org.jspecify.annotations.NullMarked;
