/** The HTTP edge: routes, bodies, answers. */
@NullMarked
package io.lamina.gateway.http;

import org.jspecify.annotations.NullMarked;
