package io.lamina.status;

/**
 * What a path of a {@link StatusServer} shows. Called on threads that may block, several at once.
 */
@FunctionalInterface
public interface Page {
  /**
   * Asked for each request.
   *
   * @throws Exception is logged, and answered with 500
   */
  Answer show() throws Exception;

  /**
   * An HTTP answer.
   *
   * @param code HTTP status
   * @param type media type
   */
  record Answer(int code, String type, String body) {
    public static Answer json(int code, String body) {
      return new Answer(code, "application/json", body);
    }

    /**
     * @param text in Prometheus' text format
     */
    public static Answer metrics(String text) {
      return new Answer(200, "text/plain; version=0.0.4; charset=utf-8", text);
    }
  }
}
