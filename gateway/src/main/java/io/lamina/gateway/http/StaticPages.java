package io.lamina.gateway.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.Router;

/** The dashboard: four files of this jar, which load nothing from anywhere else. Stateless. */
final class StaticPages {
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
          + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private StaticPages() {}

  static void addTo(Router router) {
    add(router, "/", "index.html", "text/html; charset=utf-8");
    add(router, "/dashboard.css", "dashboard.css", "text/css; charset=utf-8");
    add(router, "/icon.svg", "icon.svg", "image/svg+xml");
    add(router, "/dashboard.js", "dashboard.js", "text/javascript; charset=utf-8");
  }

  private static void add(Router router, String path, String resource, String type) {
    Buffer content = Buffer.buffer(Contract.resource("/io/lamina/gateway/dashboard/" + resource));
    router
        .get(path)
        .handler(
            context -> {
              context
                  .response()
                  .putHeader("Content-Security-Policy", POLICY)
                  .putHeader("Referrer-Policy", "no-referrer")
                  .putHeader("Cache-Control", "no-cache");
              Answers.typed(context, type, content);
            });
  }
}
