package io.lamina.gateway.http;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.gateway.request.NewRequest;
import io.lamina.gateway.request.RequestFilter;
import io.lamina.gateway.request.RequestJson;
import io.lamina.gateway.request.RequestPage;
import io.lamina.gateway.request.RequestView;
import io.lamina.gateway.request.StatusTable;
import io.lamina.gateway.request.Submissions;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.image.policy.ImagePolicy;
import io.lamina.messaging.event.Event.RemovalRequested.Scope;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Precedence;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.Retention;
import io.vertx.core.Future;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.Locale;
import java.util.Optional;

/**
 * Conversions, diff-commits, removals, collections: create, list, read, cancel. Used on requests'
 * contexts.
 */
final class RequestRoutes {
  private static final String DEFAULT_MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip";

  /** Ends a name of which every tag and digest is meant. */
  private static final String EVERY_TAG = ":*";

  private final Submissions submissions;
  private final StatusTable table;
  private final RepositoryCheck repositories;
  private final boolean localImages;
  private final ImagePolicy policy;

  RequestRoutes(
      Submissions submissions,
      StatusTable table,
      RepositoryCheck repositories,
      boolean localImages,
      ImagePolicy policy) {
    this.submissions = submissions;
    this.table = table;
    this.repositories = repositories;
    this.localImages = localImages;
    this.policy = policy;
  }

  void createConversion(RoutingContext context) {
    JsonObject body = Exchange.of(context).body();
    JsonArray platforms = body.getJsonArray("platforms", new JsonArray());
    submit(
        context,
        new NewRequest.Conversion(
            new RepositoryName(body.getString("repository")),
            image(body.getString("image")),
            platforms.stream().map(p -> Platform.parse((String) p)).toList(),
            Optional.ofNullable(body.getString("thin")).map(this::thinTarget),
            Precedence.Priority.valueOf(
                body.getString("priority", "interactive").toUpperCase(Locale.ROOT))));
  }

  void createDiffCommit(RoutingContext context) {
    JsonObject body = Exchange.of(context).body();
    Descriptor blob =
        new Descriptor(
            body.getString("mediaType", DEFAULT_MEDIA_TYPE),
            Digest.parse(body.getString("digest")),
            body.getLong("sizeBytes"));
    submit(
        context,
        new NewRequest.DiffCommit(
            new RepositoryName(body.getString("repository")),
            new LayerDescriptor(blob, Digest.parse(body.getString("diffId")))));
  }

  void createRemoval(RoutingContext context) {
    JsonObject body = Exchange.of(context).body();
    RepositoryName repository = new RepositoryName(body.getString("repository"));
    boolean all = body.getBoolean("all", false);
    String image = body.getString("image", "");
    if (body.containsKey("keepLast") || body.containsKey("newerThan")) {
      submit(context, byRule(repository, image, all, body));
      return;
    }
    if (body.getBoolean("dryRun", false)) {
      throw new GatewayException.Refused(
          ProblemType.INVALID_REQUEST,
          "'dryRun' goes with 'keepLast' or 'newerThan'; what a name means is known without it");
    }
    if (all != image.isEmpty()) {
      throw new GatewayException.Refused(
          ProblemType.INVALID_REQUEST,
          "a removal names one 'image', or everything by \"all\": true; this one names "
              + (all ? "both" : "neither"));
    }
    submit(context, removal(repository, image, all, body.getBoolean("keepTrees", false)));
  }

  private static NewRequest.Removal byRule(
      RepositoryName repository, String pattern, boolean all, JsonObject body) {
    if (all != pattern.isEmpty()) {
      throw new GatewayException.Refused(
          ProblemType.INVALID_REQUEST,
          "a rule is for the images whose names match 'image' (as in the repository, with * for"
              + " anything), or for \"all\": true");
    }
    return new NewRequest.Removal(
        repository,
        all ? "*" : pattern.startsWith("/") ? pattern.substring(1) : pattern,
        Scope.RULE,
        body.getBoolean("keepTrees", false),
        Optional.of(
            new Retention(
                body.getInteger("keepLast", 0),
                Optional.ofNullable(body.getLong("newerThan")),
                body.getBoolean("dryRun", false))));
  }

  private static NewRequest.Removal removal(
      RepositoryName repository, String image, boolean all, boolean keepTrees) {
    if (all) {
      return new NewRequest.Removal(repository, "", Scope.ALL, keepTrees);
    }
    boolean everyTag = image.endsWith(EVERY_TAG);
    String text = everyTag ? image.substring(0, image.length() - EVERY_TAG.length()) : image;
    if (everyTag && (tail(text).contains(":") || text.contains("@"))) {
      throw new GatewayException.Refused(
          ProblemType.INVALID_IMAGE,
          "'" + image + "' names a tag and every tag; leave one of them out");
    }
    // As in the repository's tree, for what came from a file of a converter's host.
    String name =
        text.startsWith("/") ? text.substring(1) : ImageReference.parse(text).publicName();
    if (everyTag && text.startsWith("/")) {
      return new NewRequest.Removal(repository, name, Scope.IMAGE, keepTrees);
    }
    return everyTag
        ? new NewRequest.Removal(
            repository, name.substring(0, name.lastIndexOf(':')), Scope.IMAGE, keepTrees)
        : new NewRequest.Removal(repository, name, Scope.TAG, keepTrees);
  }

  private static String tail(String text) {
    return text.substring(text.lastIndexOf('/') + 1);
  }

  void createCollection(RoutingContext context) {
    JsonObject body = Exchange.of(context).body();
    submit(
        context,
        new NewRequest.Collection(
            new RepositoryName(body.getString("repository")), body.getBoolean("dryRun", false)));
  }

  private void submit(RoutingContext context, NewRequest request) {
    Exchange exchange = Exchange.of(context);
    repositories
        .check(request.repository())
        .compose(
            there ->
                Future.fromCompletionStage(
                    submissions.submit(
                        exchange.caller(),
                        exchange.header("Idempotency-Key"),
                        request,
                        exchange.trace()),
                    context.vertx().getOrCreateContext()))
        .onSuccess(
            accepted -> {
              if (accepted.replayed()) {
                context.response().putHeader("Idempotency-Replayed", "true");
              }
              accepted(context, accepted.request());
            })
        .onFailure(context::fail);
  }

  private ImageReference image(String text) {
    ImageReference image = ImageReference.parse(text);
    if (!localImages && !(image instanceof ImageReference.Registry)) {
      throw new GatewayException.Refused(
          ProblemType.INVALID_IMAGE,
          "'"
              + text
              + "' names a file of the converters' hosts, which callers may not; push the image to a"
              + " registry, or set gateway.images.local on a gateway that listens on loopback");
    }
    if (image instanceof ImageReference.Registry source) {
      allow(() -> policy.checkSource(source));
    }
    return image;
  }

  /** What the policy refuses is understood, and no. */
  private static void allow(Runnable check) {
    try {
      check.run();
    } catch (ImageException.Rejected e) {
      throw new GatewayException.Refused(ProblemType.FORBIDDEN, String.valueOf(e.getMessage()));
    }
  }

  private ImageReference.Registry thinTarget(String text) {
    if (ImageReference.parse(text) instanceof ImageReference.Registry target
        && target.tag().isPresent()
        && target.digest().isEmpty()) {
      allow(() -> policy.checkThinTarget(target));
      return target;
    }
    throw new GatewayException.Refused(
        ProblemType.INVALID_IMAGE,
        "'" + text + "' is no place for a thin image; name a registry, repository and tag");
  }

  private static void accepted(RoutingContext context, RequestView request) {
    JsonObject json = RequestJson.write(request, false);
    context
        .response()
        .setStatusCode(202)
        .putHeader("Location", json.getJsonObject("links").getString("self"));
    Answers.json(context, json);
  }

  void list(RoutingContext context, RequestStatus.Kind kind) {
    Exchange exchange = Exchange.of(context);
    Optional<RequestPage.Position> after = exchange.cursor(RequestPage.Position::parse);
    RequestFilter filter =
        new RequestFilter(
            exchange.caller(),
            Optional.of(kind),
            exchange.query("state").flatMap(RequestJson::state),
            exchange.query("repository").map(RepositoryName::new));
    Answers.json(context, RequestJson.write(table.page(filter, after, exchange.pageLimit())));
  }

  void read(RoutingContext context, RequestStatus.Kind kind) {
    Exchange exchange = Exchange.of(context);
    Answers.json(
        context, RequestJson.write(submissions.read(exchange.caller(), kind, id(exchange)), true));
  }

  void cancel(RoutingContext context, RequestStatus.Kind kind) {
    Exchange exchange = Exchange.of(context);
    Future.fromCompletionStage(
            submissions.cancel(exchange.caller(), kind, id(exchange), exchange.trace()),
            context.vertx().getOrCreateContext())
        .onSuccess(request -> accepted(context, request))
        .onFailure(context::fail);
  }

  static RequestId id(Exchange exchange) {
    return new RequestId(exchange.path("id").orElseThrow());
  }
}
