package io.lamina.cvmfs.signing;

import io.lamina.cvmfs.Fixture;
import io.lamina.cvmfs.RepositoryName;
import java.security.SecureRandom;

/** Keys for tests: made once, since making them takes a good part of a second. */
public final class TestKeys {
  public static final RepositoryName NAME = new RepositoryName("keys.lamina.test");
  public static final RepositoryKeys KEYS =
      RepositoryKeys.generate(NAME, new SecureRandom(), Fixture.CLOCK);
  public static final RepositoryKeys OTHERS =
      RepositoryKeys.generate(NAME, new SecureRandom(), Fixture.CLOCK);

  private TestKeys() {}
}
