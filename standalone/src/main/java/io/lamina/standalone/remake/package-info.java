/** Makes parts of a repository again from its images. */
@NullMarked
package io.lamina.standalone.remake;

import org.jspecify.annotations.NullMarked;
