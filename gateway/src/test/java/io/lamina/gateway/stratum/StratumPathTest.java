package io.lamina.gateway.stratum;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StratumPathTest {
  private static final String HASH = "0123456789abcdef0123456789abcdef012345";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/cvmfs/a.example.org/.cvmfspublished",
        "/cvmfs/a.example.org/.cvmfswhitelist",
        "/cvmfs/a.example.org/.cvmfsreflog",
        "/cvmfs/a.example.org/.cvmfs_master_replica",
        "/cvmfs/a.example.org/.cvmfs_status.json",
        "/cvmfs/a.example.org/data/0f/" + HASH,
        "/cvmfs/a.example.org/data/0f/" + HASH + "C",
        "/cvmfs/a.example.org/data/0f/" + HASH + "-rmd160P",
        "/cvmfs/a.example.org/data/0f/" + HASH + "-shake128",
      })
  void knowsTheNamesOfTheLayout(String path) {
    assertThat(StratumPath.parse(path)).isPresent();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/cvmfs/",
        "/cvmfs/a.example.org",
        "/cvmfs/a.example.org/",
        "/cvmfs/a.example.org/data",
        "/cvmfs/a.example.org/data/",
        "/cvmfs/a.example.org/data/0f",
        "/cvmfs/a.example.org/data/txn/" + HASH,
        "/cvmfs/a.example.org/data/0f/../0f/" + HASH,
        "/cvmfs/a.example.org/../../etc/passwd",
        "/cvmfs/../etc/.cvmfspublished",
        "/cvmfs/..%2f..%2fetc/.cvmfspublished",
        "/cvmfs/a.example.org/%2e%2e/.cvmfspublished",
        "/cvmfs/a.example.org/data/0f/" + HASH + "/",
        "/cvmfs/a.example.org/data/0F/" + HASH,
        "/cvmfs/a.example.org/data/0f/" + HASH + "CC",
        "/cvmfs/a.example.org/.cvmfs_secret",
        "/cvmfs/a.example.org/uploads/aa/" + HASH,
        "/cvmfs//.cvmfspublished",
        "/cvmfs/a.example.org//.cvmfspublished",
        "/cvmfs/a.example.org/.cvmfspublished\u0000",
        "/cvmfs/a.example.org/.cvmfspublished\n",
        "/CVMFS/a.example.org/.cvmfspublished",
        "/cvmfs/.hidden/.cvmfspublished",
      })
  void knowsNothingElse(String path) {
    assertThat(StratumPath.parse(path)).isEmpty();
  }

  @Test
  void letsCachesKeepObjectsLongAndTheRestShortly() {
    StratumPath object = StratumPath.parse("/cvmfs/a.example.org/data/0f/" + HASH).orElseThrow();
    StratumPath manifest = StratumPath.parse("/cvmfs/a.example.org/.cvmfspublished").orElseThrow();
    StratumPath status = StratumPath.parse("/cvmfs/a.example.org/.cvmfs_status.json").orElseThrow();

    assertThat(object.cacheControl()).isEqualTo("max-age=259200");
    assertThat(object.contentType()).isEqualTo("application/octet-stream");
    assertThat(manifest.cacheControl()).isEqualTo("max-age=61");
    assertThat(manifest.contentType()).isEqualTo("application/x-cvmfs");
    assertThat(status.cacheControl()).isEqualTo("max-age=61");
    assertThat(status.contentType()).isEqualTo("application/json");
  }
}
