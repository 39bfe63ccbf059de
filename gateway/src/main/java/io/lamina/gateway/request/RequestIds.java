package io.lamina.gateway.request;

import io.lamina.messaging.event.RequestId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.random.RandomGenerator;

/**
 * Makes request ids.
 *
 * <p>With an idempotency key the id is {@code k<key part>-<body part>}: 26 characters of the
 * SHA-256 of the caller's name and the key, and 12 of the request's fingerprint. Whoever knows all
 * ids, from the status topic, can therefore tell a repeated request from a key that is used for
 * another one, after any restart and whatever later statuses hold. Without a key the id is {@code
 * r} and 26 characters: 48 bits of time, so that ids sort by age, and 80 random bits.
 *
 * <p>Source: docs/api.md, "Idempotency". Stateless.
 */
final class RequestIds {
  private static final char[] ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz".toCharArray();
  private static final int KEY_CHARS = 26;
  private static final int BODY_CHARS = 12;

  private RequestIds() {}

  /** What all ids made with this key start with, whatever the request. */
  static String keyPrefix(String callerName, String key) {
    return "k" + text(sha256(callerName + "\n" + key), KEY_CHARS) + "-";
  }

  static RequestId derived(String keyPrefix, NewRequest request) {
    return new RequestId(keyPrefix + text(sha256(request.fingerprintText()), BODY_CHARS));
  }

  static RequestId fresh(Instant now, RandomGenerator random) {
    byte[] id = new byte[16];
    byte[] noise = new byte[10];
    random.nextBytes(noise);
    ByteBuffer.wrap(id).putLong(now.toEpochMilli() << 16).put(6, noise);
    return new RequestId("r" + text(id, 26));
  }

  private static String text(byte[] bytes, int chars) {
    StringBuilder text = new StringBuilder(chars);
    for (int i = 0; i < chars; i++) {
      int bit = i * 5;
      int index = bit / 8;
      int window =
          ((bytes[index] & 0xff) << 8) | (index + 1 < bytes.length ? bytes[index + 1] & 0xff : 0);
      text.append(ALPHABET[(window >> (11 - bit % 8)) & 31]);
    }
    return text.toString();
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }
}
