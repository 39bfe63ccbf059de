package io.lamina.repository;

import io.lamina.cvmfs.compression.Compression;

/** How publishers compress the catalogs and histories that they write. */
public final class CatalogCompression {
  /**
   * The JDK's zlib, which every machine has: sites that replay the same journal get the same root
   * hash. Fast rather than small, since it is work inside the transaction.
   *
   * <p>Source: docs/adr/0020-publishers-compress-with-the-jdk.md.
   */
  public static final Compression FOR_PUBLISHERS = new Compression(Compression.Engine.JDK, 1);

  private CatalogCompression() {}
}
