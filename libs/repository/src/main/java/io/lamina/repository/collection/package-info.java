/** Finds and removes what a repository's catalogs refer to no more. */
@NullMarked
package io.lamina.repository.collection;

import org.jspecify.annotations.NullMarked;
