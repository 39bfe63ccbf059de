/** Where bytes lie: a local folder or an S3 bucket behind one contract. */
@NullMarked
package io.lamina.storage;

import org.jspecify.annotations.NullMarked;
