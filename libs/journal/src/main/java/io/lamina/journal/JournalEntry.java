package io.lamina.journal;

import io.lamina.messaging.event.Event.TransactionPublished;
import java.time.Instant;

/**
 * One transaction of a journal, and the bytes that say it. The array must not be changed.
 *
 * @param type the event's CloudEvents type
 * @param value the event's own bytes, never written anew: a newer release may have said more than
 *     this one reads
 * @param writtenAt when it was said, to the millisecond
 */
public record JournalEntry(
    TransactionPublished event, String type, byte[] value, Instant writtenAt) {}
