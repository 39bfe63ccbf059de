package io.lamina.image.registry;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** What proves who we are to one registry. Immutable; never shows its secret. */
sealed interface Credentials {
  /** For messages and cache keys. */
  String user();

  /** A name and a password. */
  record Password(String user, String password) implements Credentials {
    String basicHeader() {
      return "Basic "
          + Base64.getEncoder()
              .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public String toString() {
      return "Password[" + user + "]";
    }
  }

  /** A token that a token server exchanges for short-lived ones. */
  record IdentityToken(String token) implements Credentials {
    @Override
    public String user() {
      return "<identity token>";
    }

    @Override
    public String toString() {
      return "IdentityToken[…]";
    }
  }

  /** A token that the registry takes as it is. */
  record RegistryToken(String token) implements Credentials {
    @Override
    public String user() {
      return "<registry token>";
    }

    @Override
    public String toString() {
      return "RegistryToken[…]";
    }
  }
}
