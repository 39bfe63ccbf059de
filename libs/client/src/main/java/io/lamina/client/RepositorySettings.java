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
 */
public record RepositorySettings(RepositoryName name, List<String> servers, MasterKeys keys) {
  public RepositorySettings {
    servers = List.copyOf(servers);
  }
}
