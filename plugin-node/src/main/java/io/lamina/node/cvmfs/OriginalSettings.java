package io.lamina.node.cvmfs;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.settings.SettingsException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Repositories as a folder of the original client's settings tells of them, such as {@code
 * /etc/cvmfs}. Its files are shell scripts there and are not run here: assignments are read, and
 * variables in their values. Immutable; each call reads anew.
 *
 * <p>Source: docs/plugin-node.md, "Settings of the original client".
 *
 * @param folder may lie elsewhere than the paths in its files say
 */
public record OriginalSettings(Path folder) {
  private static final Logger LOG = LoggerFactory.getLogger(OriginalSettings.class);
  private static final String USUAL_FOLDER = "/etc/cvmfs/";
  private static final Pattern ASSIGNMENT =
      Pattern.compile("\\s*(?:export\\s+)?([A-Z][A-Z0-9_]*)=(.*)");
  private static final Pattern VARIABLE =
      Pattern.compile("\\$(?:\\{([A-Z][A-Z0-9_]*)}|([A-Z][A-Z0-9_]*))");
  private static final List<String> ENDINGS = List.of(".conf", ".local");
  private static final int MAX_FILE_BYTES = 1 << 20;
  private static final int MAX_REPOSITORIES = 1024;

  /**
   * All that have a file in {@code config.d} or are listed in {@code CVMFS_REPOSITORIES}, by name.
   * One that lacks a server or a key is left out with a warning.
   *
   * @throws SettingsException if the folder cannot be read
   */
  public List<KnownRepository> repositories() {
    List<KnownRepository> known = new ArrayList<>();
    for (String name : names()) {
      try {
        known.add(repository(new RepositoryName(name)));
      } catch (CvmfsException.Rejected | SettingsException e) {
        LOG.atWarn()
            .addKeyValue("folder", folder)
            .addKeyValue("repository", name)
            .addKeyValue("reason", e.getMessage())
            .log("repository of the original client's settings is left out");
      }
    }
    return known;
  }

  /** {@code CVMFS_HTTP_PROXY} for all repositories. */
  public Optional<String> proxy() {
    return Optional.ofNullable(read(general(), new TreeMap<>()).get("CVMFS_HTTP_PROXY"))
        .filter(value -> !value.isBlank());
  }

  private TreeSet<String> names() {
    TreeSet<String> names = new TreeSet<>();
    String listed = read(general(), new TreeMap<>()).getOrDefault("CVMFS_REPOSITORIES", "");
    Arrays.stream(listed.split("[,\\s]+")).filter(name -> name.contains(".")).forEach(names::add);
    Path config = folder.resolve("config.d");
    if (Files.isDirectory(config)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(config)) {
        for (Path file : files) {
          String name = file.getFileName().toString();
          ENDINGS.stream()
              .filter(name::endsWith)
              .forEach(ending -> names.add(name.substring(0, name.length() - ending.length())));
        }
      } catch (IOException e) {
        throw new SettingsException("cannot list the folder " + config + ": " + e);
      }
    }
    if (names.size() > MAX_REPOSITORIES) {
      throw new SettingsException(
          folder + " names more than " + MAX_REPOSITORIES + " repositories");
    }
    return names;
  }

  private KnownRepository repository(RepositoryName name) {
    String domain = name.value().substring(name.value().indexOf('.') + 1);
    Map<String, String> values = new TreeMap<>();
    values.put("CVMFS_REPOSITORY_NAME", name.value());
    List<Path> files = new ArrayList<>(general());
    for (String ending : ENDINGS) {
      files.add(folder.resolve("domain.d").resolve(domain + ending));
    }
    for (String ending : ENDINGS) {
      files.add(folder.resolve("config.d").resolve(name.value() + ending));
    }
    read(files, values);
    List<String> servers =
        Arrays.stream(values.getOrDefault("CVMFS_SERVER_URL", "").split(";"))
            .map(String::strip)
            .filter(server -> !server.isEmpty())
            .toList();
    if (servers.isEmpty()) {
      throw new SettingsException("CVMFS_SERVER_URL is not set for it");
    }
    return KnownRepository.parse(
        name.value(), String.join(",", servers) + "," + key(name, domain, values));
  }

  private Path key(RepositoryName name, String domain, Map<String, String> values) {
    List<Path> candidates = new ArrayList<>();
    Arrays.stream(values.getOrDefault("CVMFS_PUBLIC_KEY", "").split(":"))
        .filter(path -> !path.isBlank())
        .forEach(path -> candidates.add(here(path.strip())));
    Optional.ofNullable(values.get("CVMFS_KEYS_DIR"))
        .filter(path -> !path.isBlank())
        .ifPresent(path -> candidates.add(here(path)));
    Path keys = folder.resolve("keys");
    candidates.addAll(
        List.of(
            keys.resolve(name.value() + ".pub"),
            keys.resolve(domain),
            keys.resolve(domain + ".pub")));
    return candidates.stream()
        .filter(Files::exists)
        .findFirst()
        .orElseThrow(() -> new SettingsException("no public key at any of " + candidates));
  }

  /** Files name each other by the folder's usual place. */
  private Path here(String path) {
    return path.startsWith(USUAL_FOLDER)
        ? folder.resolve(path.substring(USUAL_FOLDER.length()))
        : Path.of(path);
  }

  private List<Path> general() {
    return List.of(folder.resolve("default.conf"), folder.resolve("default.local"));
  }

  /** Later files change what earlier ones say. */
  private static Map<String, String> read(List<Path> files, Map<String, String> values) {
    for (Path file : files) {
      if (!Files.isRegularFile(file)) {
        continue;
      }
      try {
        if (Files.size(file) > MAX_FILE_BYTES) {
          throw new SettingsException(file + " is longer than " + MAX_FILE_BYTES + " bytes");
        }
        for (String line : Files.readAllLines(file)) {
          Matcher assignment = ASSIGNMENT.matcher(line);
          if (assignment.matches()) {
            values.put(assignment.group(1), value(assignment.group(2), values));
          }
        }
      } catch (IOException e) {
        throw new SettingsException("cannot read " + file + ": " + e);
      }
    }
    return values;
  }

  private static String value(String text, Map<String, String> values) {
    String stripped = text.strip();
    if (stripped.startsWith("'")) {
      int end = stripped.indexOf('\'', 1);
      return end < 0 ? stripped.substring(1) : stripped.substring(1, end);
    }
    if (stripped.startsWith("\"")) {
      int end = stripped.indexOf('"', 1);
      return expanded(end < 0 ? stripped.substring(1) : stripped.substring(1, end), values);
    }
    return expanded(stripped.split("[\\s#]", 2)[0], values);
  }

  private static String expanded(String text, Map<String, String> values) {
    return VARIABLE
        .matcher(text)
        .replaceAll(
            found ->
                Matcher.quoteReplacement(
                    values.getOrDefault(
                        found.group(1) != null ? found.group(1) : found.group(2), "")));
  }
}
