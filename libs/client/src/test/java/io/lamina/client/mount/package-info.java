@NullMarked
package io.lamina.client.mount;

import org.jspecify.annotations.NullMarked;
