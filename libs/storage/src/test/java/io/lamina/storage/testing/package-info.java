/** An S3 service for this module's tests and those of its users (classifier tests). */
@NullMarked
package io.lamina.storage.testing;

import org.jspecify.annotations.NullMarked;
