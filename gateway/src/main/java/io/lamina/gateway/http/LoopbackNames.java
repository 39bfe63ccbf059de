package io.lamina.gateway.http;

import java.util.Locale;
import java.util.regex.Pattern;

/** The names under which this machine calls itself. Stateless. */
final class LoopbackNames {
  private static final Pattern NAMES =
      Pattern.compile("localhost|.*\\.localhost|127(\\.[0-9]{1,3}){3}|\\[?::1\\]?");

  private LoopbackNames() {}

  static boolean contains(String host) {
    return NAMES.matcher(host.toLowerCase(Locale.ROOT)).matches();
  }
}
