package io.lamina.cvmfs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HashAlgorithmTest {
  private static final byte[] HELLO = "hello\n".getBytes(StandardCharsets.US_ASCII);

  @ParameterizedTest
  @CsvSource({
    "SHA1, '', da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "SHA1, 'hello\n', f572d396fae9206628714fb2ce00f72e94f2258f",
    "SHAKE128, '', 7f9c2ba4e88f827d616045507605853ed73b8093",
    "SHAKE128, 'hello\n', 4a361de3a0e980a55388df742e9b314bd69d9182",
    "RIPEMD160, '', 9c1185a5c5e9fc54612808977ee8f548b2258d31",
    "RIPEMD160, 'a', 0bdc9d2d256b3ee9daae347be6f4dc835a467ffe",
    "RIPEMD160, 'abc', 8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
    "RIPEMD160, 'message digest', 5d0689ef49d2fae572b881b123a85ffa21595f36",
    "RIPEMD160, 'abcdefghijklmnopqrstuvwxyz', f71c27109c692c1b56bbdceb5b9d2865b3708dbc",
    "RIPEMD160, 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',"
        + " 12a053384a9c0c88e405a06c27dcf49ada62eb2b"
  })
  void hashesKnownTexts(HashAlgorithm algorithm, String text, String expectedHex) {
    byte[] digest = algorithm.newDigest().digest(text.getBytes(StandardCharsets.US_ASCII));

    assertThat(ContentHash.of(algorithm, digest).hex()).isEqualTo(expectedHex);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 55, 56, 63, 64, 65, 119, 120, 1000})
  void ripemdDoesNotDependOnHowTheInputIsSplit(int piece) {
    byte[] input = new byte[1000];
    for (int i = 0; i < input.length; i++) {
      input[i] = (byte) (i * 31);
    }
    MessageDigest whole = HashAlgorithm.RIPEMD160.newDigest();
    MessageDigest split = HashAlgorithm.RIPEMD160.newDigest();

    for (int from = 0; from < input.length; from += piece) {
      split.update(input, from, Math.min(piece, input.length - from));
    }

    assertThat(split.digest()).isEqualTo(whole.digest(input));
  }

  @Test
  void ripemdHashesAMillionLetters() {
    MessageDigest digest = HashAlgorithm.RIPEMD160.newDigest();

    for (int i = 0; i < 1_000_000; i++) {
      digest.update((byte) 'a');
    }

    assertThat(HexFormat.of().formatHex(digest.digest()))
        .isEqualTo("52783243c1697bdbe16d37f97f68f08325dc1528");
  }

  @Test
  void ripemdStartsAfreshAfterADigest() {
    MessageDigest digest = HashAlgorithm.RIPEMD160.newDigest();
    digest.update(new byte[100]);
    digest.digest();

    byte[] second = digest.digest(HELLO);

    assertThat(second).isEqualTo(HashAlgorithm.RIPEMD160.newDigest().digest(HELLO));
  }
}
