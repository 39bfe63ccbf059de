/** Turns a request for an image into a plan: manifests resolved, their bytes stored. */
@NullMarked
package io.lamina.converter.plan;

import org.jspecify.annotations.NullMarked;
