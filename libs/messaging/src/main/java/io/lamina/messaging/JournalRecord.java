package io.lamina.messaging;

import java.time.Instant;

/**
 * A record of the journal topic as its bytes are, unread. The array must not be changed.
 *
 * @param repository the record's key
 * @param type its CloudEvents type; empty if it has none
 * @param writtenAt when the publisher or broker stamped it, to the millisecond
 */
public record JournalRecord(String repository, String type, byte[] value, Instant writtenAt) {}
