package io.lamina.cvmfs.signing;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryName;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.ResolverStyle;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/**
 * What {@code .cvmfswhitelist} says: which certificates may sign a repository's manifest, and until
 * when.
 *
 * <p>Source: docs/format/manifest.md, "Whitelist". Immutable.
 *
 * @param createdAt whole seconds
 * @param expiresAt whole seconds; only date and hour count
 * @param fingerprints hashes of the certificates in DER, at least one
 */
public record Whitelist(
    RepositoryName repository,
    Instant createdAt,
    Instant expiresAt,
    List<ContentHash> fingerprints) {
  /** The file's name in the repository's root. */
  public static final String FILE_NAME = ".cvmfswhitelist";

  /** For how long the original publisher signs. */
  public static final Duration DEFAULT_LIFE = Duration.ofDays(30);

  /** The most certificates that a whitelist may name. */
  public static final int MAX_FINGERPRINTS = 1000;

  private static final int TIMESTAMP_CHARS = 14;
  private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59Z");
  private static final HexFormat COLONS = HexFormat.ofDelimiter(":").withUpperCase();
  private static final DateTimeFormatter TIMESTAMP =
      DateTimeFormatter.ofPattern("uuuuMMddHHmmss", Locale.ROOT)
          .withResolverStyle(ResolverStyle.STRICT);

  public Whitelist {
    fingerprints = List.copyOf(fingerprints);
    if (fingerprints.isEmpty() || fingerprints.size() > MAX_FINGERPRINTS) {
      throw new CvmfsException.Rejected(
          "a whitelist names 1 to "
              + MAX_FINGERPRINTS
              + " certificates, that of "
              + repository
              + " "
              + fingerprints.size());
    }
    if (createdAt.isBefore(Instant.EPOCH) || expiresAt.isAfter(LATEST)) {
      throw new CvmfsException.Rejected(
          "whitelist dates out of range: " + createdAt + " to " + expiresAt);
    }
  }

  /**
   * A whitelist that vouches for {@code certificates} from now on.
   *
   * @param life at least one hour, since clients ignore minutes and seconds
   */
  public static Whitelist issue(
      RepositoryName repository,
      List<RepositoryCertificate> certificates,
      Duration life,
      Clock clock) {
    if (life.compareTo(Duration.ofHours(1)) < 0) {
      throw new CvmfsException.Rejected("a whitelist must live for an hour or more, not " + life);
    }
    Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    List<ContentHash> fingerprints =
        certificates.stream().map(c -> c.fingerprint(HashAlgorithm.SHA1)).toList();
    return new Whitelist(repository, now, now.plus(life), fingerprints);
  }

  /**
   * Reads the lines before {@code --}.
   *
   * @throws CvmfsException.Corrupt if they are malformed
   * @throws CvmfsException.Rejected if they demand a check that this reader cannot make
   */
  static Whitelist parse(byte[] body) {
    String[] lines = new String(body, StandardCharsets.ISO_8859_1).split("\n");
    if (lines.length < 4) {
      throw new CvmfsException.Corrupt("the whitelist names no certificate");
    }
    Instant created = timestamp(lines[0], "creation time");
    Instant expires = timestamp(valueOf(lines[1], 'E'), "expiry");
    RepositoryName repository = name(valueOf(lines[2], 'N'));
    List<ContentHash> fingerprints = new ArrayList<>();
    for (int i = 3; i < lines.length; i++) {
      if (i <= 4 && (lines[i].equals("Vpkcs7") || lines[i].equals("Wcachain"))) {
        throw new CvmfsException.Rejected(
            "the whitelist of "
                + repository
                + " demands '"
                + lines[i].substring(1)
                + "' verification, which is not supported");
      }
      if (fingerprints.size() == MAX_FINGERPRINTS) {
        throw new CvmfsException.Corrupt(
            "the whitelist names more than " + MAX_FINGERPRINTS + " certificates");
      }
      fingerprints.add(parseFingerprint(lines[i]));
    }
    return new Whitelist(repository, created, expires, fingerprints);
  }

  /** The lines before {@code --}. */
  byte[] encode() {
    StringBuilder out = new StringBuilder(256);
    out.append(format(createdAt)).append('\n');
    out.append('E').append(format(expiresAt)).append('\n');
    out.append('N').append(repository).append('\n');
    fingerprints.forEach(fingerprint -> out.append(formatFingerprint(fingerprint)).append('\n'));
    return out.toString().getBytes(StandardCharsets.US_ASCII);
  }

  /** Whether clients refuse this whitelist at {@code now}: minutes and seconds do not count. */
  public boolean isExpiredAt(Instant now) {
    return now.isAfter(expiresAt.truncatedTo(ChronoUnit.HOURS));
  }

  /** Whether the certificate may sign the manifest. */
  public boolean vouchesFor(RepositoryCertificate certificate) {
    return fingerprints.stream()
        .anyMatch(listed -> listed.equals(certificate.fingerprint(listed.algorithm())));
  }

  /** The text of a fingerprint: upper case, colons, and the algorithm unless it is SHA-1. */
  public static String formatFingerprint(ContentHash fingerprint) {
    return COLONS.formatHex(fingerprint.digest())
        + fingerprint.algorithm().textSuffix().toUpperCase(Locale.ROOT);
  }

  /** As lenient as the original client: any case, with or without colons, comment after a blank. */
  private static ContentHash parseFingerprint(String line) {
    int end = 0;
    while (end < line.length() && " \t#".indexOf(line.charAt(end)) < 0) {
      end++;
    }
    try {
      return ContentHash.parse(line.substring(0, end).replace(":", "").toLowerCase(Locale.ROOT));
    } catch (CvmfsException.Rejected e) {
      throw new CvmfsException.Corrupt("whitelist line is not a fingerprint: '" + line + "'", e);
    }
  }

  private static String valueOf(String line, char letter) {
    if (line.isEmpty() || line.charAt(0) != letter) {
      throw new CvmfsException.Corrupt("whitelist line '" + line + "' should start with " + letter);
    }
    return line.substring(1);
  }

  private static RepositoryName name(String text) {
    try {
      return new RepositoryName(text);
    } catch (CvmfsException.Rejected e) {
      throw new CvmfsException.Corrupt("the whitelist's N line is no repository name", e);
    }
  }

  private static Instant timestamp(String text, String what) {
    try {
      if (text.length() == TIMESTAMP_CHARS) {
        return LocalDateTime.parse(text, TIMESTAMP).toInstant(ZoneOffset.UTC);
      }
    } catch (DateTimeException e) {
      throw new CvmfsException.Corrupt("the whitelist's " + what + " is no date: " + text, e);
    }
    throw new CvmfsException.Corrupt("the whitelist's " + what + " has not 14 digits: " + text);
  }

  private static String format(Instant instant) {
    return TIMESTAMP.format(LocalDateTime.ofInstant(instant, ZoneOffset.UTC));
  }
}
