package io.lamina.image.archive;

import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.internal.Quoted;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/** Chooses an image of a folder or archive by the name that it goes by there. */
final class RefMatch {
  private RefMatch() {}

  /**
   * @param names an image's names; none if it has none
   * @return one, or several of the same name, which are one image for several platforms
   * @throws ImageException.NotFound if the ref fits no image, or without a ref there are several;
   *     names those that are there
   */
  static <T> List<T> choose(
      String where, Optional<String> ref, List<T> images, Function<T, List<String>> names) {
    List<T> fitting = new ArrayList<>();
    TreeSet<String> all = new TreeSet<>();
    for (T image : images) {
      List<String> own = names.apply(image);
      all.addAll(own);
      if (ref.isEmpty() || own.stream().anyMatch(name -> isSame(ref.get(), name))) {
        fitting.add(image);
      }
    }
    if (fitting.stream().map(image -> Set.copyOf(names.apply(image))).distinct().count() == 1) {
      return fitting;
    }
    String there =
        all.isEmpty()
            ? images.size() + " images without a name"
            : "there are: " + Quoted.plain(String.join(", ", all), 1000);
    if (images.isEmpty()) {
      throw new ImageException.NotFound(where + " holds no image");
    }
    if (ref.isEmpty()) {
      throw new ImageException.NotFound(
          where + " holds several images, so a ref must follow the path; " + there);
    }
    throw new ImageException.NotFound(
        where
            + (fitting.isEmpty() ? " holds no image " : " holds several images ")
            + Quoted.of(ref.get())
            + "; "
            + there);
  }

  /** As text, or as the same image of the same registry: {@code ubuntu}, {@code ubuntu:latest}. */
  private static boolean isSame(String ref, String name) {
    if (ref.equals(name)) {
      return true;
    }
    try {
      return ImageReference.parse("docker://" + ref)
          .equals(ImageReference.parse("docker://" + name));
    } catch (ImageException.Rejected e) {
      return false; // Refs of layouts need not be image names.
    }
  }
}
