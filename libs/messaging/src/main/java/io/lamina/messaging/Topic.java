package io.lamina.messaging;

/**
 * The topics, their keys and how long they keep records.
 *
 * <p>Source: docs/protocol/topics.md. Immutable.
 */
public enum Topic {
  /** Accepted conversion requests, by image: consumer group of the converters' planners. */
  CONVERSIONS("lamina.conversions"),
  /** Work on layers and images, by digest: share group of the converters. */
  LAYERS("lamina.layers"),
  /** Plans, results and cancellations, by repository: consumer group of the publishers. */
  REPOSITORY("lamina.repository"),
  /** A publisher's unfinished images, compacted, partitioned as {@link #REPOSITORY}. */
  PENDING("lamina.pending"),
  /** The journal of transactions, by repository; never deleted. */
  PUBLISHED("lamina.published"),
  /** Latest state of each request and work item, compacted. */
  STATUS("lamina.status"),
  /** Records that failed for good, with their cause in headers. */
  DEAD_LETTERS("lamina.dead-letters");

  private final String topicName;

  Topic(String topicName) {
    this.topicName = topicName;
  }

  public String topicName() {
    return topicName;
  }
}
