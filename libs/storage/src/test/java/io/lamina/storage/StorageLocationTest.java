package io.lamina.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StorageLocationTest {
  @Test
  void readsAFolder() {
    assertThat(StorageLocation.parse("local:/srv/cvmfs/../images"))
        .isEqualTo(new StorageLocation.Local(Path.of("/srv/images")));
  }

  @Test
  void readsABucket() {
    assertThat(
            StorageLocation.parse(
                "s3:https://s3.example.org:9000/images/some/where?region=eu-1&credentials=/etc/s3%20key&style=dns"))
        .isEqualTo(
            new StorageLocation.S3(
                URI.create("https://s3.example.org:9000"),
                "images",
                "some/where",
                "eu-1",
                Optional.of(Path.of("/etc/s3 key")),
                StorageLocation.Style.DNS));
    assertThat(StorageLocation.parse("s3:http://127.0.0.1/images"))
        .isEqualTo(
            new StorageLocation.S3(
                URI.create("http://127.0.0.1"),
                "images",
                "",
                "us-east-1",
                Optional.empty(),
                StorageLocation.Style.PATH));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "local:/srv/images",
        "s3:http://127.0.0.1:9000/images",
        "s3:http://127.0.0.1:9000/images/a/b",
        "s3:https://s3.example.org/images/p?region=eu-1&credentials=/etc/key+a%25&style=dns"
      })
  void readsItsOwnTextBack(String text) {
    StorageLocation location = StorageLocation.parse(text);

    assertThat(StorageLocation.parse(location.toString())).isEqualTo(location);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/srv/images",
        "local:srv/images",
        "local:",
        "local:/a\0b",
        "s3:",
        "s3:ftp://host/bucket",
        "s3:http:///bucket",
        "s3:http://host",
        "s3:http://host/",
        "s3:http://host/UPPER",
        "s3:http://host/bucket/../other",
        "s3:http://user:secret@host/bucket",
        "s3:http://host/bucket?nope=1",
        "s3:http://host/bucket?style=other",
        "s3:http://host/bucket?credentials=relative",
        "s3:http://host/bucket?credentials=%zz",
        "s3:http://host/bucket#x"
      })
  void refusesWhatIsNoLocation(String text) {
    assertThatThrownBy(() -> StorageLocation.parse(text))
        .isInstanceOf(StorageException.Rejected.class);
  }

  @Test
  void saysWhatIsAccepted() {
    assertThatThrownBy(() -> StorageLocation.parse("srv"))
        .hasMessageContaining("'srv'")
        .hasMessageContaining("local:/path")
        .hasMessageContaining("s3:http[s]://host");
  }
}
