/** The gateway's ports on Kafka's topics. */
@NullMarked
package io.lamina.gateway.kafka;

import org.jspecify.annotations.NullMarked;
