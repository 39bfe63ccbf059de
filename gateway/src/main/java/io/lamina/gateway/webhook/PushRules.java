package io.lamina.gateway.webhook;

import io.lamina.gateway.request.NewRequest;
import io.lamina.gateway.webhook.LeftOut.Reason;
import io.lamina.gateway.webhook.Reported.Pushed;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.policy.ImagePolicy;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Decides what is made of a reported push. Only the repository, the tag and the digest are taken
 * from what a registry says; where the image is asked for, and where it goes, the operator has
 * said. Thread-safe.
 *
 * <p>Source: docs/webhooks.md, "What is believed", and docs/adr/0052-registries-report-pushes.md.
 */
final class PushRules {
  /** Tags under which tools keep signatures and the like beside an image. */
  private static final Pattern ATTACHMENT =
      Pattern.compile("sha(?:256|512)-[0-9a-f]{64,128}(?:\\.[a-z]+)?");

  /** What clocks may differ by. */
  private static final Duration MAX_AHEAD = Duration.ofMinutes(15);

  /** What a push leads to. */
  sealed interface Decision {
    /**
     * @param event what names the push among those of the webhook, in the same words each time that
     *     it is reported
     */
    record Ask(NewRequest.Conversion request, String event) implements Decision {}

    record Leave(LeftOut leftOut) implements Decision {}
  }

  private final ImagePolicy policy;
  private final List<ThinTemplate> thinPlaces;
  private final Clock clock;
  private final RecentPushes recent = new RecentPushes();

  /**
   * @param policy the site's own; converters have the last word
   * @param thinPlaces of all webhooks
   */
  PushRules(ImagePolicy policy, List<ThinTemplate> thinPlaces, Clock clock) {
    this.policy = policy;
    this.thinPlaces = List.copyOf(thinPlaces);
    this.clock = clock;
  }

  /**
   * @param body digest of the whole delivery, which names events that have no name
   */
  Decision decide(Webhook hook, Pushed pushed, Digest body) {
    if (pushed.host().isPresent() && !hook.source().isCalled(pushed.host().get())) {
      return leave(
          pushed,
          Reason.OTHER_HOST,
          "of '"
              + pushed.host().get()
              + "', but this webhook is for "
              + hook.source().registry()
              + "; other names of it belong into registry-names");
    }
    try {
      ImageReference.Registry image =
          new ImageReference.Registry(
              hook.source().registry(),
              pushed.repository(),
              Optional.of(pushed.tag()),
              Optional.empty());
      return objection(hook, pushed, image).orElseGet(() -> ask(hook, pushed, image, body));
    } catch (ImageException.Rejected e) {
      return leave(pushed, Reason.MALFORMED, String.valueOf(e.getMessage()));
    }
  }

  private Optional<Decision> objection(Webhook hook, Pushed pushed, ImageReference.Registry image) {
    if (ATTACHMENT.matcher(pushed.tag()).matches()) {
      return Optional.of(leave(pushed, Reason.NOT_AN_IMAGE, "a signature or the like, by its tag"));
    }
    if (isThin(hook, pushed)) {
      return Optional.of(
          leave(pushed, Reason.THIN_IMAGE, "lies where a webhook's thin images are pushed"));
    }
    if (!hook.source().has(image)) {
      return Optional.of(
          leave(pushed, Reason.NOT_ALLOWED, "not among the images of this webhook (images)"));
    }
    return lateness(hook, pushed);
  }

  /** Also under the registry's other names, or each thin image would be made thin again. */
  private boolean isThin(Webhook hook, Pushed pushed) {
    return hook.source().names().stream()
        .map(host -> host + "/" + pushed.repository() + ":" + pushed.tag())
        .anyMatch(name -> thinPlaces.stream().anyMatch(place -> place.leadsTo(name)));
  }

  private Optional<Decision> lateness(Webhook hook, Pushed pushed) {
    if (pushed.at().isEmpty()) {
      return Optional.empty();
    }
    Instant now = clock.instant();
    Instant at = pushed.at().get();
    if (at.isBefore(now.minus(hook.ages().max()))) {
      return Optional.of(
          leave(
              pushed,
              Reason.TOO_OLD,
              "of "
                  + at
                  + ", older than the "
                  + hook.ages().max().toMinutes()
                  + " min of max-age"));
    }
    if (at.isAfter(now.plus(MAX_AHEAD))) {
      return Optional.of(
          leave(
              pushed,
              Reason.AHEAD_OF_TIME,
              "of " + at + ", and it is " + now + " here: set the clocks"));
    }
    return Optional.empty();
  }

  private Decision ask(Webhook hook, Pushed pushed, ImageReference.Registry image, Digest body) {
    Webhook.Target target = hook.target();
    Optional<ImageReference.Registry> thin;
    try {
      thin = target.thin().map(template -> template.place(image));
      policy.checkSource(image);
      thin.ifPresent(policy::checkThinTarget);
    } catch (ImageException.Rejected e) {
      return leave(pushed, Reason.NOT_ALLOWED, String.valueOf(e.getMessage()));
    }
    return new Decision.Ask(
        new NewRequest.Conversion(
            target.repository(),
            isCurrent(hook, pushed, image) ? pinned(image, pushed) : image,
            target.platforms(),
            thin,
            target.priority()),
        hook.format().text()
            + "\n"
            + pushed.id().orElseGet(body::toString)
            + "\n"
            + image.canonical());
  }

  /**
   * Whether a push surely is what its tag shows. A late or overtaken event may not set a tag back:
   * then the registry is asked what the tag shows now.
   */
  private boolean isCurrent(Webhook hook, Pushed pushed, ImageReference.Registry image) {
    return pushed.at().isPresent()
        && recent.isNewest(hook.target().repository() + " " + image.canonical(), pushed.at().get())
        && !pushed.at().get().isBefore(clock.instant().minus(hook.ages().pinned()));
  }

  private static ImageReference.Registry pinned(ImageReference.Registry image, Pushed pushed) {
    return new ImageReference.Registry(
        image.host(), image.repository(), image.tag(), pushed.digest());
  }

  private static Decision.Leave leave(Pushed pushed, Reason reason, String detail) {
    return new Decision.Leave(
        new LeftOut(pushed.repository() + ":" + pushed.tag(), reason, detail));
  }
}
