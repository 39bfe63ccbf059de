/** The process that people and nodes talk to: HTTP in, events out, status and files back. */
@NullMarked
package io.lamina.gateway;

import org.jspecify.annotations.NullMarked;
