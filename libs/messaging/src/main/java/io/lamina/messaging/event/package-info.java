/** What is said on the topics: requests, work, results, the journal. */
@NullMarked
package io.lamina.messaging.event;

import org.jspecify.annotations.NullMarked;
