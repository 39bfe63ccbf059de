/** Revisions of a repository as trees of entries, loaded as paths enter them. */
@NullMarked
package io.lamina.client.tree;

import org.jspecify.annotations.NullMarked;
