/**
 * What a driver of a Docker host tells of itself: status, health and metrics, on a second socket.
 */
@NullMarked
package io.lamina.node.status;

import org.jspecify.annotations.NullMarked;
