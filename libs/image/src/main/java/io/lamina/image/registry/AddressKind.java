package io.lamina.image.registry;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * What an address is good for. Source: IANA's registries of special-purpose addresses, and the
 * metadata services that clouds document.
 */
enum AddressKind {
  /** Reached through the Internet. */
  PUBLIC("a public address"),
  /** Reached within a site. */
  PRIVATE("an address of a private network"),
  /** This machine, its link, a metadata service, or no host at all. */
  SPECIAL("a loopback, link-local, metadata or reserved address");

  private record Range(byte[] prefix, int bits) {
    boolean holds(byte[] address) {
      if (address.length != prefix.length) {
        return false;
      }
      for (int bit = 0; bit < bits; bit += 8) {
        int mask = bits - bit >= 8 ? 0xff : 0xff << (8 - (bits - bit)) & 0xff;
        if (((address[bit / 8] ^ prefix[bit / 8]) & mask) != 0) {
          return false;
        }
      }
      return true;
    }
  }

  private static final List<Range> SPECIALS =
      List.of(
          v4(0, 0, 0, 0, 8), // this network
          v4(127, 0, 0, 0, 8),
          v4(169, 254, 0, 0, 16), // link-local; most metadata services
          v4(192, 0, 0, 0, 24), // protocol assignments; Oracle's metadata service
          v4(100, 100, 100, 200, 32), // Alibaba's metadata service
          v4(168, 63, 129, 16, 32), // Azure's wire server
          v4(224, 0, 0, 0, 4), // multicast
          v4(240, 0, 0, 0, 4), // reserved, broadcast
          v6("fe800000000000000000000000000000", 10), // link-local
          v6("ff000000000000000000000000000000", 8), // multicast
          v6("fd000ec2000000000000000000000254", 128), // AWS' metadata service
          v6("fd2000ce000000000000000000000254", 128), // Google's
          v6("20010000000000000000000000000000", 32), // Teredo
          v6("0064ff9b000100000000000000000000", 48)); // a site's own NAT64

  private static final List<Range> PRIVATES =
      List.of(
          v4(10, 0, 0, 0, 8),
          v4(172, 16, 0, 0, 12),
          v4(192, 168, 0, 0, 16),
          v4(100, 64, 0, 0, 10), // shared by carriers
          v4(198, 18, 0, 0, 15), // benchmarks
          v6("fc000000000000000000000000000000", 7),
          v6("fec00000000000000000000000000000", 10));

  /** Prefixes behind which, at a byte offset, lies an IPv4 address that is meant. */
  private static final List<Range> EMBEDDING_AT_12 =
      List.of(
          v6("00000000000000000000000000000000", 96), // with ::1 and ::
          v6("00000000000000000000ffff00000000", 96),
          v6("0064ff9b000000000000000000000000", 96));

  private static final Range EMBEDDING_AT_2 = v6("20020000000000000000000000000000", 16);

  private final String text;

  AddressKind(String text) {
    this.text = text;
  }

  /** For messages. */
  String text() {
    return text;
  }

  static AddressKind of(InetAddress address) {
    return switch (address) {
      case Inet4Address v4 -> of(v4.getAddress());
      case Inet6Address v6 -> ofV6(v6.getAddress());
      default -> SPECIAL;
    };
  }

  private static AddressKind ofV6(byte[] address) {
    if (EMBEDDING_AT_2.holds(address)) {
      return ofEmbedded(address, 2);
    }
    if (EMBEDDING_AT_12.stream().anyMatch(range -> range.holds(address))) {
      return ofEmbedded(address, 12);
    }
    return of(address);
  }

  private static AddressKind ofEmbedded(byte[] address, int offset) {
    return of(Arrays.copyOfRange(address, offset, offset + 4));
  }

  private static AddressKind of(byte[] address) {
    if (SPECIALS.stream().anyMatch(range -> range.holds(address))) {
      return SPECIAL;
    }
    return PRIVATES.stream().anyMatch(range -> range.holds(address)) ? PRIVATE : PUBLIC;
  }

  private static Range v4(int a, int b, int c, int d, int bits) {
    return new Range(new byte[] {(byte) a, (byte) b, (byte) c, (byte) d}, bits);
  }

  private static Range v6(String hex, int bits) {
    return new Range(HexFormat.of().parseHex(hex), bits);
  }
}
