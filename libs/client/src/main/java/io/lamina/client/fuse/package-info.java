/** The kernel's FUSE protocol, spoken over its device. */
@NullMarked
package io.lamina.client.fuse;

import org.jspecify.annotations.NullMarked;
