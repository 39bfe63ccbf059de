package io.lamina.storage;

import java.util.Map;

/**
 * The HTTP headers that a stored file is served with. Thread-safe.
 *
 * <p>Source: docs/storage.md, "Headers".
 */
@FunctionalInterface
public interface HeaderPolicy {
  /** Must contain {@code Content-Type}. */
  Map<String, String> headersFor(ObjectKey key);

  /**
   * What CVMFS clients and caches expect: three days for objects, whose names say their content,
   * and a minute for what changes.
   */
  static HeaderPolicy cvmfs() {
    return key -> {
      String name = key.value().substring(key.value().lastIndexOf('/') + 1);
      if (name.startsWith(".cvmfs")) {
        return Map.of("Content-Type", "application/x-cvmfs", "Cache-Control", "max-age=61");
      }
      if (name.endsWith(".json")) {
        return Map.of("Content-Type", "application/json", "Cache-Control", "max-age=61");
      }
      if (name.endsWith(".html")) {
        return Map.of("Content-Type", "text/html", "Cache-Control", "max-age=61");
      }
      return Map.of("Content-Type", "application/octet-stream", "Cache-Control", "max-age=259200");
    };
  }
}
