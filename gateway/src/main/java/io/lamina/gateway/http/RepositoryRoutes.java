package io.lamina.gateway.http;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.access.Caller;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.gateway.repository.Journal;
import io.lamina.gateway.repository.RepositoryDirectory;
import io.lamina.gateway.repository.RepositoryJson;
import io.lamina.gateway.repository.RepositoryView;
import io.vertx.core.Future;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/** Repositories: list, read, create. Used on the requests' contexts. */
final class RepositoryRoutes {
  private final Optional<RepositoryDirectory> directory;
  private final Journal journal;
  private final Predicate<RepositoryName> served;
  private final Blocking blocking;

  /**
   * @param served whether this gateway serves a repository's files; may block
   */
  RepositoryRoutes(
      Optional<RepositoryDirectory> directory,
      Journal journal,
      Predicate<RepositoryName> served,
      Blocking blocking) {
    this.directory = directory;
    this.journal = journal;
    this.served = served;
    this.blocking = blocking;
  }

  void list(RoutingContext context) {
    Caller caller = Exchange.of(context).caller();
    blocking
        .call(() -> all(caller))
        .onSuccess(
            views -> {
              JsonArray items = new JsonArray();
              views.forEach(v -> items.add(RepositoryJson.write(v)));
              Answers.json(context, new JsonObject().put("items", items));
            })
        .onFailure(context::fail);
  }

  private List<RepositoryView> all(Caller caller) {
    Map<RepositoryName, Optional<RepositoryDirectory.Known>> names = new TreeMap<>();
    journal.repositories().forEach(n -> names.put(n, Optional.empty()));
    directory.ifPresent(d -> d.list().forEach(k -> names.put(k.name(), Optional.of(k))));
    return names.entrySet().stream()
        .filter(e -> caller.mayUse(e.getKey()))
        .map(e -> view(e.getKey(), e.getValue()))
        .toList();
  }

  private RepositoryView view(RepositoryName name, Optional<RepositoryDirectory.Known> known) {
    return new RepositoryView(name, known, journal.revisions(name), served.test(name));
  }

  void read(RoutingContext context) {
    Exchange exchange = Exchange.of(context);
    RepositoryName name = new RepositoryName(exchange.path("name").orElseThrow());
    Caller caller = exchange.caller();
    blocking
        .call(() -> view(name, directory.flatMap(d -> d.find(name))))
        .map(
            view -> {
              if (!caller.mayUse(name) || (view.known().isEmpty() && view.revisions().isEmpty())) {
                throw new GatewayException.Refused(
                    ProblemType.NOT_FOUND,
                    "there is no repository '" + name + "' that this token may see");
              }
              return view;
            })
        .onSuccess(view -> Answers.json(context, RepositoryJson.write(view)))
        .onFailure(context::fail);
  }

  void create(RoutingContext context) {
    Exchange exchange = Exchange.of(context);
    RepositoryName name = new RepositoryName(exchange.body().getString("name"));
    if (!exchange.caller().mayUse(name)) {
      throw new GatewayException.Refused(
          ProblemType.FORBIDDEN,
          "token '"
              + exchange.caller().name()
              + "' is not allowed to use repository '"
              + name
              + "'");
    }
    Future<RepositoryView> created =
        directory
            .map(d -> blocking.call(() -> view(name, Optional.of(d.create(name)))))
            .orElseGet(
                () ->
                    Future.failedFuture(
                        new GatewayException.Refused(
                            ProblemType.NOT_SUPPORTED,
                            "this gateway has no keys and cannot create repositories; run 'lamina repo"
                                + " create "
                                + name
                                + "' on the publisher's host")));
    created
        .onSuccess(
            view -> {
              context
                  .response()
                  .setStatusCode(201)
                  .putHeader("Location", "/api/v1/repositories/" + name);
              Answers.json(context, RepositoryJson.write(view));
            })
        .onFailure(context::fail);
  }
}
