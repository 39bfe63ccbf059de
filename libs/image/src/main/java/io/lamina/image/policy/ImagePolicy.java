package io.lamina.image.policy;

import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import java.util.List;
import java.util.Optional;

/**
 * Which repositories of registries images are taken from, and where thin images may be pushed.
 * Folders and archives are ruled by {@link io.lamina.image.source.LocalAccess}. Immutable.
 *
 * <p>Source: docs/security.md, "Policies".
 *
 * @param allowed sources
 * @param denied sources, even if they are allowed
 * @param thinTargets where thin images may be pushed; none: nowhere
 */
public record ImagePolicy(
    List<NamePattern> allowed, List<NamePattern> denied, List<NamePattern> thinTargets) {
  /** No rule. */
  public static final ImagePolicy OPEN =
      new ImagePolicy(List.of(NamePattern.ALL), List.of(), List.of(NamePattern.ALL));

  /** Any source; thin images only to registries of this machine. */
  public static final ImagePolicy PERSONAL =
      OPEN.withThinTargets(
          NamePattern.parse("localhost,localhost:*,127.0.0.1,127.0.0.1:*,[::1],[::1]:*"));

  public ImagePolicy {
    allowed = List.copyOf(allowed);
    denied = List.copyOf(denied);
    thinTargets = List.copyOf(thinTargets);
  }

  /**
   * Reads an operator's lists.
   *
   * @param allow empty: every source
   * @param deny empty: none
   * @param thin empty: nowhere
   * @throws ImageException.Rejected naming the pattern that cannot be read
   */
  public static ImagePolicy of(
      Optional<String> allow, Optional<String> deny, Optional<String> thin) {
    return new ImagePolicy(
        allow.map(NamePattern::parse).orElse(OPEN.allowed),
        deny.map(NamePattern::parse).orElse(List.of()),
        thin.map(NamePattern::parse).orElse(List.of()));
  }

  public ImagePolicy withThinTargets(List<NamePattern> others) {
    return new ImagePolicy(allowed, denied, others);
  }

  /**
   * @throws ImageException.Rejected if images of this repository are not taken
   */
  public void checkSource(ImageReference.Registry image) {
    String name = image.host() + "/" + image.repository();
    if (matches(denied, image)) {
      throw new ImageException.Rejected("images of " + name + " are denied here (images.deny)");
    }
    if (!matches(allowed, image)) {
      throw new ImageException.Rejected(
          "images of " + name + " are not among those that are allowed here (images.allow)");
    }
  }

  /**
   * @throws ImageException.Rejected if thin images may not be pushed to this repository
   */
  public void checkThinTarget(ImageReference.Registry target) {
    if (!matches(thinTargets, target)) {
      throw new ImageException.Rejected(
          "thin images may not be pushed to "
              + target.host()
              + "/"
              + target.repository()
              + "; "
              + (thinTargets.isEmpty()
                  ? "no place is allowed here: name one in thin.allow"
                  : "allowed here (thin.allow): " + thinTargets.stream().limit(10).toList()));
    }
  }

  private static boolean matches(List<NamePattern> patterns, ImageReference.Registry name) {
    return patterns.stream().anyMatch(pattern -> pattern.matches(name));
  }
}
