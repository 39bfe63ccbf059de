package io.lamina.cvmfs.signing;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.Fixture;
import io.lamina.fuzzing.FuzzTarget;
import io.lamina.fuzzing.Fuzzer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Manifests, whitelists, certificates and keys as whoever serves them may write them. */
@Timeout(86_400)
class SigningFuzzTest {
  private static final byte[] MANIFEST = Fixture.file(".cvmfspublished");
  private static final byte[] WHITELIST = Fixture.file(".cvmfswhitelist");
  private static final List<byte[]> WORDS =
      Stream.of(
              "--\n",
              "-----BEGIN CERTIFICATE-----\n",
              "-----END CERTIFICATE-----\n",
              "-----BEGIN PUBLIC KEY-----\n",
              "\nC",
              "\nS-1\n",
              "\nT9223372036854775807\n",
              "-rmd160",
              "-shake128",
              "\nN../../x\n",
              "E20991231235959\n",
              "#")
          .map(word -> word.getBytes(StandardCharsets.ISO_8859_1))
          .toList();

  static Stream<FuzzTarget> targets() {
    Set<Class<? extends Throwable>> both =
        Set.of(CvmfsException.Corrupt.class, CvmfsException.Rejected.class);
    return Stream.of(
        target(
            "manifest",
            Set.of(CvmfsException.Corrupt.class),
            file -> SignedManifest.parse(file).manifest().encode().length,
            MANIFEST,
            SigningFuzzTest::withHash),
        target(
            "whitelist",
            both,
            file -> SignedWhitelist.parse(file) == null ? 0 : 1,
            WHITELIST,
            SigningFuzzTest::withHash),
        target(
            "certificate",
            Set.of(CvmfsException.Corrupt.class),
            pem -> RepositoryCertificate.parse(pem) == null ? 0 : 1,
            certificate(),
            UnaryOperator.identity()),
        target(
            "master key",
            Set.of(CvmfsException.Rejected.class),
            pem -> MasterKeys.parse(pem) == null ? 0 : 1,
            Fixture.publicKey(),
            UnaryOperator.identity()));
  }

  private static byte[] certificate() {
    return io.lamina.cvmfs.compression.Decompression.inflate(
        Fixture.file(
            SignedManifest.parse(MANIFEST)
                .manifest()
                .certificate()
                .toString()
                .replaceFirst("^(..)(.*)$", "data/$1/$2X")),
        1 << 20);
  }

  private static FuzzTarget target(
      String name,
      Set<Class<? extends Throwable>> documented,
      FuzzTarget.Reader reader,
      byte[] sample,
      UnaryOperator<byte[]> repair) {
    return new FuzzTarget(
        name,
        reader,
        documented,
        List.of(sample),
        WORDS,
        repair,
        new FuzzTarget.Limits(4 << 20, 200, 64, 1));
  }

  @ParameterizedTest
  @MethodSource("targets")
  void answersAsDocumentedWhateverItReads(FuzzTarget target) {
    Fuzzer.Report report = Fuzzer.run(target, Fuzzer.seed(), Fuzzer.Until.standard(1500));

    System.out.println(report);
    assertThat(report.answers()).isPositive();
    assertThat(report.signatures()).isGreaterThan(3);
  }

  /** The hash of the lines, as whoever can sign them would state it. */
  private static byte[] withHash(byte[] file) {
    String text = new String(file, StandardCharsets.ISO_8859_1);
    int end = text.indexOf("--\n");
    if (end < 0) {
      return file;
    }
    try {
      byte[] body = text.substring(0, end).getBytes(StandardCharsets.ISO_8859_1);
      String hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(body));
      int rest = text.indexOf('\n', end + 3);
      return (text.substring(0, end) + "--\n" + hash + (rest < 0 ? "\n" : text.substring(rest)))
          .getBytes(StandardCharsets.ISO_8859_1);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-1", e);
    }
  }
}
