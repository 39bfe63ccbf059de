package io.lamina.image.thin;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.internal.Quoted;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * A folder in a repository, written {@code cvmfs://REPOSITORY/PATH}. Immutable.
 *
 * @param repository the fully qualified name
 * @param path relative, at least one component, none of them empty, {@code .} or {@code ..}
 */
public record CvmfsUrl(String repository, String path) {
  private static final String SCHEME = "cvmfs://";
  private static final int MAX_PATH_BYTES = 4000;
  private static final int MAX_COMPONENT_BYTES = 255;
  private static final Pattern REPOSITORY = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,59}");

  public CvmfsUrl {
    if (!REPOSITORY.matcher(repository).matches() || repository.contains("..")) {
      throw new ImageException.Rejected(
          "not the name of a CVMFS repository: " + Quoted.of(repository));
    }
    if (path.getBytes(StandardCharsets.UTF_8).length > MAX_PATH_BYTES) {
      throw new ImageException.Rejected(
          "the path of a CVMFS URL is longer than " + MAX_PATH_BYTES + " bytes");
    }
    if (path.chars().anyMatch(Character::isISOControl)) {
      throw new ImageException.Rejected(
          "control character in the path of a CVMFS URL: " + Quoted.of(path));
    }
    for (String component : path.split("/", -1)) {
      if (component.isEmpty()
          || component.equals(".")
          || component.equals("..")
          || component.getBytes(StandardCharsets.UTF_8).length > MAX_COMPONENT_BYTES) {
        throw new ImageException.Rejected(
            "the path of a CVMFS URL has a component that is empty, '.', '..' or too long: "
                + Quoted.of(path));
      }
    }
  }

  /**
   * @throws ImageException.Rejected if it has another scheme or form
   */
  public static CvmfsUrl parse(String text) {
    int slash = text.indexOf('/', SCHEME.length());
    if (!text.startsWith(SCHEME) || slash < 0) {
      throw new ImageException.Rejected(
          "not of the form cvmfs://REPOSITORY/PATH: " + Quoted.of(text));
    }
    return new CvmfsUrl(text.substring(SCHEME.length(), slash), text.substring(slash + 1));
  }

  /**
   * Where a repository holds a layer.
   *
   * @param layer digest of the compressed blob
   */
  public static CvmfsUrl ofLayer(String repository, Digest layer) {
    return new CvmfsUrl(repository, ".layers/" + layer.prefix() + "/" + layer.hex() + "/layerfs");
  }

  @Override
  public String toString() {
    return SCHEME + repository + "/" + path;
  }
}
