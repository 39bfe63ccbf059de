package io.lamina.gateway.request;

import java.util.HexFormat;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The W3C trace context that goes with a request, from its header into the log. Immutable.
 *
 * @param traceId 32 lower-case hex digits, not all zero
 * @param parentId 16 lower-case hex digits: this gateway's span
 * @param flags two hex digits
 */
public record TraceContext(String traceId, String parentId, String flags) {
  private static final Pattern TRACEPARENT =
      Pattern.compile("([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?");

  /** Continues the caller's trace, or starts one where the header is absent or not valid. */
  public static TraceContext continuing(@Nullable String header, RandomGenerator random) {
    if (header != null && header.length() <= 256) {
      Matcher m = TRACEPARENT.matcher(header);
      if (m.matches()
          && !m.group(1).equals("ff")
          && (m.group(5) == null || !m.group(1).equals("00"))
          && !m.group(2).chars().allMatch(c -> c == '0')
          && !m.group(3).chars().allMatch(c -> c == '0')) {
        return new TraceContext(m.group(2), hex(random, 8), m.group(4));
      }
    }
    return new TraceContext(hex(random, 16), hex(random, 8), "01");
  }

  private static String hex(RandomGenerator random, int bytes) {
    byte[] id = new byte[bytes];
    random.nextBytes(id);
    id[bytes - 1] |= 1; // never all zero
    return HexFormat.of().formatHex(id);
  }

  /** The header's value, in HTTP and in Kafka. */
  public String traceparent() {
    return "00-" + traceId + "-" + parentId + "-" + flags;
  }
}
