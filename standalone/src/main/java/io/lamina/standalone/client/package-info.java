/** Client of a gateway's HTTP API. */
@NullMarked
package io.lamina.standalone.client;

import org.jspecify.annotations.NullMarked;
