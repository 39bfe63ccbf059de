package io.lamina.layers;

import java.util.regex.Pattern;

/**
 * The SELinux context that a mounted layer shows on all files. Immutable.
 *
 * @param context empty for none
 */
public record MountLabel(String context) {
  private static final Pattern FORM = Pattern.compile("[A-Za-z0-9_:.,-]{0,250}");

  /** No label. */
  public static final MountLabel NONE = new MountLabel("");

  /**
   * @throws LayersException.Rejected if it is not a security context
   */
  public MountLabel {
    if (!FORM.matcher(context).matches()) {
      throw new LayersException.Rejected(
          "a mount label has characters that no SELinux context has, or more than 250 of them");
    }
  }

  public boolean isNone() {
    return context.isEmpty();
  }
}
