/** A Kafka broker inside this JVM, for the all-in-one command and for tests. */
@NullMarked
package io.lamina.messaging.broker;

import org.jspecify.annotations.NullMarked;
