package io.lamina.gateway.request;

import java.util.Locale;

/** The publication of a layer, in the words of the old graphdriver plugin's protocol. */
public enum LayerState {
  PUBLISHING,
  DONE,
  UNKNOWN;

  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
