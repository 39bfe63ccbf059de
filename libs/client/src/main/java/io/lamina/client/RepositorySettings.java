package io.lamina.client;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.signing.MasterKeys;
import java.util.List;

/**
 * A repository, where it is and whom to trust. Immutable.
 *
 * @param servers addresses in order of preference: {@code http}, {@code https}, {@code file} or an
 *     absolute path; {@code @fqrn@} and {@code @org@} stand for the name and its first part
 * @param keys one of these must have signed the whitelist
 * @param translatesLayerMarks whether files {@code .wh.NAME} of layers that other publishers stored
 *     as their archives are, show as what overlays take for removals
 */
public record RepositorySettings(
    RepositoryName name, List<String> servers, MasterKeys keys, boolean translatesLayerMarks) {
  public RepositorySettings {
    servers = List.copyOf(servers);
  }

  /** Shows everything as it is stored. */
  public RepositorySettings(RepositoryName name, List<String> servers, MasterKeys keys) {
    this(name, servers, keys, false);
  }

  public RepositorySettings withLayerMarksTranslated() {
    return new RepositorySettings(name, servers, keys, true);
  }
}
