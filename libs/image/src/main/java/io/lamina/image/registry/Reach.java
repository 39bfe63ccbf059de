package io.lamina.image.registry;

import io.lamina.image.ImageException;
import java.net.InetAddress;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which addresses a process that takes names from others sends requests to. Immutable.
 *
 * <p>Source: docs/security.md, "Registries".
 *
 * @param scope the widest kind of address
 * @param also {@code HOST} or {@code HOST:PORT}, as URLs write them, that may lie anywhere
 */
public record Reach(Scope scope, Set<String> also) {
  private static final int MAX_NAMES = 1000;

  /** What kinds of addresses are asked; each includes those before it. */
  public enum Scope {
    /** Of the Internet. */
    PUBLIC,
    /** Of private networks too. */
    SITE,
    /** Also of this machine, of its link, and of a cloud's metadata services. */
    ANYWHERE
  }

  /** No rule: for commands that a person runs. */
  public static final Reach ANYWHERE = new Reach(Scope.ANYWHERE, Set.of());

  /** For services: private networks, but neither this machine nor its link. */
  public static final Reach SITE = new Reach(Scope.SITE, Set.of());

  public Reach {
    if (also.size() > MAX_NAMES) {
      throw new ImageException.Rejected("more than " + MAX_NAMES + " hosts that may lie anywhere");
    }
    Set<String> names = new TreeSet<>();
    also.forEach(name -> names.add(name.toLowerCase(Locale.ROOT)));
    also = Set.copyOf(names);
  }

  /**
   * Reads the scope's word.
   *
   * @throws IllegalArgumentException saying what is accepted
   */
  public static Scope scope(String word) {
    return switch (word) {
      case "public" -> Scope.PUBLIC;
      case "site" -> Scope.SITE;
      case "anywhere" -> Scope.ANYWHERE;
      default ->
          throw new IllegalArgumentException("'" + word + "' must be public, site or anywhere");
    };
  }

  /** Whether a host may lie anywhere. */
  boolean isExempt(String host, String authority) {
    return scope == Scope.ANYWHERE
        || also.contains(host.toLowerCase(Locale.ROOT))
        || also.contains(authority.toLowerCase(Locale.ROOT));
  }

  /**
   * @param authority for the message; the address itself is not told, since whoever asks for an
   *     image need not learn what a name means inside the site
   * @throws ImageException.Rejected if the address is out of reach
   */
  void check(String authority, InetAddress address) {
    AddressKind kind = AddressKind.of(address);
    boolean isReached =
        switch (kind) {
          case PUBLIC -> true;
          case PRIVATE -> scope != Scope.PUBLIC;
          case SPECIAL -> scope == Scope.ANYWHERE;
        };
    if (!isReached) {
      throw new ImageException.Rejected(
          authority
              + " leads to "
              + kind.text()
              + ", where this process sends no requests (registries.reach is "
              + scope.name().toLowerCase(Locale.ROOT)
              + "); if that is meant, name "
              + authority
              + " in its registries.reach.also");
    }
  }
}
