package io.lamina.image;

import io.lamina.image.internal.Quoted;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Reads the text forms of {@link ImageReference} and checks their parts.
 *
 * <p>Source: the reference grammar of the distribution project, its rules for short names, and the
 * transports' notations of containers/image. Everything it accepts is safe as a path: no component
 * is empty, starts with a dot or is longer than a directory entry may be.
 */
final class ImageReferenceParser {
  private static final String FORMS =
      "; accepted forms: [docker://][HOST[:PORT]/]REPOSITORY[:TAG][@sha256:DIGEST],"
          + " oci:FOLDER[:REF], oci-archive:FILE[:REF], docker-archive:FILE[:NAME[:TAG]]";

  private static final int MAX_TEXT_CHARS = 4096;
  private static final int MAX_NAME_CHARS = 255;
  private static final int MAX_FILE_NAME_BYTES = 255;
  private static final int MAX_PUBLIC_NAME_BYTES = 1024;
  private static final String HUB = "docker.io";

  private static final String LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
  private static final Pattern HOST =
      Pattern.compile(
          "(?:" + LABEL + "(?:\\." + LABEL + "){0,30}|\\[[0-9a-f:]{2,39}])(?::([0-9]{1,5}))?");
  private static final Pattern COMPONENT =
      Pattern.compile("[a-z0-9]++(?:(?:\\.|_|__|-++)[a-z0-9]++)*+");
  private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}");
  private static final Pattern IMAGE_ID = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern LOCAL_REF = Pattern.compile("[A-Za-z0-9._:@+/-]{1,255}");

  /** Transports of other tools; as image names they are reachable by writing docker:// first. */
  private static final Set<String> FOREIGN_TRANSPORTS =
      Set.of("dir", "docker-daemon", "containers-storage", "ostree", "sif", "tarball", "atomic");

  private ImageReferenceParser() {}

  static ImageReference parse(String text) {
    if (text.isBlank()) {
      throw new ImageException.Rejected("empty image reference" + FORMS);
    }
    if (text.length() > MAX_TEXT_CHARS) {
      throw rejected(text, "longer than " + MAX_TEXT_CHARS + " characters");
    }
    for (int i = 0; i < text.length(); i++) {
      if (Character.isISOControl(text.charAt(i))) {
        throw rejected(text, "control character at position " + i);
      }
    }
    int colon = text.indexOf(':');
    String transport = colon < 0 ? "" : text.substring(0, colon);
    String rest = text.substring(colon + 1);
    return switch (transport) {
      case "oci" -> {
        Local local = local(text, rest);
        yield new ImageReference.OciLayout(local.path, local.ref);
      }
      case "oci-archive" -> {
        Local local = local(text, rest);
        yield new ImageReference.OciArchive(local.path, local.ref);
      }
      case "docker-archive" -> {
        Local local = local(text, rest);
        yield new ImageReference.DockerArchive(local.path, local.ref);
      }
      default -> registryForm(text, transport, rest);
    };
  }

  private static ImageReference registryForm(String text, String transport, String rest) {
    if (transport.equals("docker") && rest.startsWith("//")) {
      return registry(text, rest.substring(2));
    }
    if (FOREIGN_TRANSPORTS.contains(transport)) {
      throw rejected(
          text,
          "the transport '"
              + transport
              + ":' is not supported; for an image of that name write docker://"
              + transport
              + ":TAG");
    }
    if (rest.startsWith("//")) {
      throw rejected(
          text,
          "unknown scheme "
              + Quoted.of(transport + "://")
              + "; write HOST/REPOSITORY or docker://HOST/REPOSITORY (plain HTTP is a setting of"
              + " the host, not of the reference)");
    }
    return registry(text, text);
  }

  private static ImageReference.Registry registry(String text, String name) {
    Optional<Digest> digest = Optional.empty();
    int at = name.indexOf('@');
    if (at >= 0) {
      digest = Optional.of(Digest.parse(name.substring(at + 1)));
      name = name.substring(0, at);
    }
    Optional<String> tag = Optional.empty();
    int colon = name.indexOf(':', name.lastIndexOf('/') + 1);
    if (colon >= 0) {
      tag = Optional.of(name.substring(colon + 1));
      name = name.substring(0, colon);
    } else if (digest.isEmpty()) {
      tag = Optional.of("latest");
    }
    int slash = name.indexOf('/');
    String first = slash < 0 ? "" : name.substring(0, slash);
    boolean isHost = first.contains(".") || first.contains(":") || first.equals("localhost");
    String host = isHost ? first.toLowerCase(Locale.ROOT) : HUB;
    String repository = isHost ? name.substring(slash + 1) : name;
    if (host.equals("index.docker.io") || host.equals("registry-1.docker.io")) {
      host = HUB;
    }
    if (IMAGE_ID.matcher(name).matches()) {
      throw rejected(text, "64 hex digits are an image id, not a name");
    }
    if (host.equals(HUB) && !repository.contains("/")) {
      repository = "library/" + repository;
    }
    try {
      return new ImageReference.Registry(host, repository, tag, digest);
    } catch (ImageException.Rejected e) {
      throw new ImageException.Rejected(
          "not an image reference: " + Quoted.of(text) + ": " + e.getMessage() + FORMS, e);
    }
  }

  private record Local(Path path, Optional<String> ref) {}

  private static Local local(String text, String rest) {
    int colon = rest.indexOf(':');
    String path = colon < 0 ? rest : rest.substring(0, colon);
    Optional<String> ref = colon < 0 ? Optional.empty() : Optional.of(rest.substring(colon + 1));
    if (path.isEmpty()) {
      throw rejected(text, "no path after the transport");
    }
    if (ref.isPresent() && ref.get().isEmpty()) {
      throw rejected(text, "nothing after the second colon (a path must not hold a colon)");
    }
    try {
      // Absolute, so that the canonical form means the same in every process of this host.
      return new Local(Path.of(path).toAbsolutePath().normalize(), ref);
    } catch (InvalidPathException e) {
      throw rejected(text, "not a path: " + e.getReason());
    }
  }

  /** Checks the parts of {@link ImageReference.Registry}. */
  static void checkRegistry(
      String host, String repository, Optional<String> tag, Optional<Digest> digest) {
    var hostMatcher = HOST.matcher(host);
    if (!hostMatcher.matches() || host.length() > MAX_NAME_CHARS) {
      throw new ImageException.Rejected(
          "not a registry host (lower-case DNS name or address, optional :PORT): "
              + Quoted.of(host));
    }
    if (!host.contains(".") && !host.contains(":") && !host.equals("localhost")) {
      throw new ImageException.Rejected(
          "a registry host has a dot or a port, or is localhost: " + Quoted.of(host));
    }
    String port = hostMatcher.group(1);
    if (port != null && (Integer.parseInt(port) == 0 || Integer.parseInt(port) > 65_535)) {
      throw new ImageException.Rejected("port out of range in " + Quoted.of(host));
    }
    checkAddress(host);
    if (host.length() + 1 + repository.length() > MAX_NAME_CHARS) {
      throw new ImageException.Rejected(
          "host and repository are longer than " + MAX_NAME_CHARS + " characters");
    }
    for (String component : repository.split("/", -1)) {
      if (!COMPONENT.matcher(component).matches()) {
        throw new ImageException.Rejected(
            "not a repository component: "
                + Quoted.of(component)
                + " (lower-case letters and digits, separated by '.', '_', '__' or dashes)");
      }
    }
    tag.ifPresent(ImageReferenceParser::checkTag);
    if (tag.isEmpty() && digest.isEmpty()) {
      throw new ImageException.Rejected("neither tag nor digest for " + host + "/" + repository);
    }
    int lastComponent = repository.length() - (repository.lastIndexOf('/') + 1);
    int suffix = tag.map(t -> t.length() + 1).orElse("@sha256:".length() + 64);
    if (lastComponent + suffix > MAX_FILE_NAME_BYTES) {
      throw new ImageException.Rejected(
          "the last component with its tag is longer than a file name may be ("
              + MAX_FILE_NAME_BYTES
              + " bytes)");
    }
  }

  /** URLs have names whose last label is no number, and addresses in full. */
  private static void checkAddress(String host) {
    try {
      if (new URI("https://" + host).getHost() != null) {
        return;
      }
    } catch (URISyntaxException e) {
      // One message below for all.
    }
    throw new ImageException.Rejected(
        "not a host name or address as URLs have them: " + Quoted.of(host));
  }

  /** Checks a tag alone, as registries list them. */
  static void checkTag(String tag) {
    if (!TAG.matcher(tag).matches()) {
      throw new ImageException.Rejected(
          "not a tag: "
              + Quoted.of(tag)
              + " (1 to 128 of letters, digits, '_', '.', '-', not starting with '.' or '-')");
    }
  }

  /** Checks the parts of the local references. */
  static void checkLocal(Path path, Optional<String> ref) {
    if (path.getFileName() == null) {
      throw new ImageException.Rejected(
          "the path " + Quoted.of(path.toString()) + " has no name to publish an image under");
    }
    if (path.toString().contains(":")) {
      throw new ImageException.Rejected(
          "a path with a colon cannot be written as a reference: " + Quoted.of(path.toString()));
    }
    String publicName = localName(path, ref);
    if (publicName.getBytes(StandardCharsets.UTF_8).length > MAX_PUBLIC_NAME_BYTES) {
      throw new ImageException.Rejected("the name is too long: " + Quoted.of(publicName));
    }
    for (String component : publicName.split("/", -1)) {
      if (component.isEmpty()
          || component.startsWith(".")
          || component.startsWith(":")
          || component.length() > MAX_FILE_NAME_BYTES) {
        throw new ImageException.Rejected(
            "the ref "
                + Quoted.of(ref.orElse(""))
                + " cannot be published: a component is empty, starts with '.' or ':', or is too"
                + " long");
      }
    }
    ref.ifPresent(
        r -> {
          if (!LOCAL_REF.matcher(r).matches()) {
            throw new ImageException.Rejected(
                "not a ref: " + Quoted.of(r) + " (1 to 255 of letters, digits, '._:@+/-')");
          }
        });
  }

  /** {@code local/NAME:TAG}; a ref that is a mere tag goes with the file's name. */
  static String localName(Path file, Optional<String> ref) {
    String named =
        ref.map(r -> TAG.matcher(r).matches() ? fileName(file) + ":" + r : r)
            .orElseGet(() -> fileName(file));
    boolean tagged = named.indexOf(':', named.lastIndexOf('/') + 1) >= 0;
    return "local/" + (tagged ? named : named + ":latest");
  }

  private static String fileName(Path file) {
    Path name = file.getFileName();
    String text = name == null ? "" : name.toString();
    if (text.endsWith(".tar") && text.length() > ".tar".length()) {
      text = text.substring(0, text.length() - ".tar".length());
    }
    String safe = text.replaceAll("[^A-Za-z0-9._+-]", "-");
    return safe.startsWith(".") ? "_" + safe : safe;
  }

  private static ImageException.Rejected rejected(String text, String why) {
    return new ImageException.Rejected(
        "not an image reference: " + Quoted.of(text) + ": " + why + FORMS);
  }
}
