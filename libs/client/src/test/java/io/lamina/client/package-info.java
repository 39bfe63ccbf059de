@NullMarked
package io.lamina.client;

import org.jspecify.annotations.NullMarked;
