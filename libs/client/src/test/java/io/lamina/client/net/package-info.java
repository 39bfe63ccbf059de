@NullMarked
package io.lamina.client.net;

import org.jspecify.annotations.NullMarked;
