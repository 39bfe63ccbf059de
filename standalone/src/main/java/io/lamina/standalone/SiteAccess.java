package io.lamina.standalone;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.reader.HttpRepositoryFiles;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.image.policy.NamePattern;
import io.lamina.journal.replay.ObjectSources;
import io.lamina.journal.site.SiteProcess;
import io.lamina.journal.site.SiteSelection;
import io.lamina.journal.site.SiteSettings;
import io.lamina.settings.Settings;
import io.lamina.settings.SettingsException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Another site as the settings name it. Immutable.
 *
 * <p>Source: docs/sites.md, "Settings".
 *
 * @param objects where its repositories are, tried in order; {@code {repository}} stands for each
 * @param keys folder with their public keys
 */
record SiteAccess(SiteSettings settings, List<String> objects, Optional<Path> keys)
    implements SiteProcess.Sources {
  private static final String REPOSITORY = "{repository}";
  private static final int MAX_OBJECTS_AT_ONCE = 256;

  static SiteAccess from(Settings text) {
    String name = text.required("site.name", "what the other site is called here");
    List<String> objects =
        list(text.required("site.objects", "where the other site's repositories are"));
    Optional<Path> keys = text.path("site.keys");
    try {
      SiteSettings settings =
          new SiteSettings(
              name,
              text.text("site.topic").orElse(name + ".lamina.published"),
              text.count("site.round", 1, 1, 1_000_000),
              repositories(
                  text.required("site.repositories", "which repositories, NAME[=NAME-HERE],…")),
              new SiteSelection(
                  text.parsed("site.images", List.of(), NamePattern::parse),
                  size(text),
                  text.flag("site.removals", true)),
              text.count("site.objects-at-once", 16, 1, MAX_OBJECTS_AT_ONCE));
      SiteAccess access = new SiteAccess(settings, objects, keys);
      for (RepositoryName repository : settings.repositories().keySet()) {
        access.open(repository).close();
      }
      return access;
    } catch (IllegalArgumentException e) {
      throw new SettingsException("site " + name + ": " + e.getMessage());
    }
  }

  private static Optional<Long> size(Settings text) {
    long bytes = text.bytes("site.image.size", 0, 0, Long.MAX_VALUE);
    return bytes == 0 ? Optional.empty() : Optional.of(bytes);
  }

  private static Map<RepositoryName, RepositoryName> repositories(String text) {
    Map<RepositoryName, RepositoryName> repositories = new LinkedHashMap<>();
    for (String one : list(text)) {
      int equals = one.indexOf('=');
      RepositoryName there =
          new RepositoryName((equals < 0 ? one : one.substring(0, equals)).strip());
      RepositoryName here =
          equals < 0 ? there : new RepositoryName(one.substring(equals + 1).strip());
      if (repositories.put(there, here) != null) {
        throw new IllegalArgumentException("repository " + there + " is named twice");
      }
    }
    return repositories;
  }

  private static List<String> list(String text) {
    return Arrays.stream(text.split(",")).map(String::strip).filter(s -> !s.isEmpty()).toList();
  }

  @Override
  public SiteProcess.Source open(RepositoryName repository) {
    List<String> locations =
        objects.stream()
            .map(location -> location.replace(REPOSITORY, repository.value()))
            .map(SiteAccess::checked)
            .toList();
    List<RepositoryFiles> files = RepositoryPlaces.openAll(locations);
    try {
      Optional<ReaderSettings> reader =
          keys.map(
              folder ->
                  ReaderSettings.of(
                      repository,
                      MasterKeys.load(folder.resolve(repository + ".pub")),
                      Clock.systemUTC()));
      RepositoryFiles first = files.getFirst();
      return new SiteProcess.Source(
          new ObjectSources(
              files, Path.of(System.getProperty("java.io.tmpdir")), ObjectSources.Pause.SLEEPING),
          first instanceof HttpRepositoryFiles http ? http.fresh() : first,
          reader);
    } catch (RuntimeException e) {
      files.forEach(RepositoryFiles::close);
      throw e;
    }
  }

  private static String checked(String location) {
    if (RepositoryPlaces.hasScheme(location)) {
      return location;
    }
    throw new IllegalArgumentException(
        "not where a repository is: '"
            + location
            + "'; expected http(s)://…, s3:… or local:/…, with {repository} for its name");
  }
}
