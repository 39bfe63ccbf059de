/** Requests: accepting them once, and the folded view of all of them. */
@NullMarked
package io.lamina.gateway.request;

import org.jspecify.annotations.NullMarked;
