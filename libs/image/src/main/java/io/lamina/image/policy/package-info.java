/** What an operator lets in and out: which images are read, and where thin images go. */
@NullMarked
package io.lamina.image.policy;

import org.jspecify.annotations.NullMarked;
