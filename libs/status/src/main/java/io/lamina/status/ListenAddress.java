package io.lamina.status;

/**
 * Where to listen.
 *
 * @param host name or address, such as {@code 127.0.0.1}
 * @param port 1 to 65535
 */
public record ListenAddress(String host, int port) {
  private static final int MAX_PORT = 65_535;

  public ListenAddress {
    if (host.isBlank() || port < 1 || port > MAX_PORT) {
      throw new IllegalArgumentException(
          "'" + host + ":" + port + "' is no address; write HOST:PORT");
    }
  }

  /**
   * @param text {@code HOST:PORT}
   * @throws IllegalArgumentException if it is not of this form
   */
  public static ListenAddress parse(String text) {
    int colon = text.lastIndexOf(':');
    try {
      return new ListenAddress(
          text.substring(0, Math.max(0, colon)), Integer.parseInt(text.substring(colon + 1)));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + text + "' is no address; write HOST:PORT", e);
    }
  }
}
