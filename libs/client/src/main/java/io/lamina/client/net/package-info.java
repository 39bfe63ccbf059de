/** Where objects come from: servers and proxies with fail-over. */
@NullMarked
package io.lamina.client.net;

import org.jspecify.annotations.NullMarked;
