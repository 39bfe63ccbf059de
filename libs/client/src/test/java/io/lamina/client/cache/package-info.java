@NullMarked
package io.lamina.client.cache;

import org.jspecify.annotations.NullMarked;
