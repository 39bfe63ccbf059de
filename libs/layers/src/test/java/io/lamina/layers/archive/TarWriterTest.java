package io.lamina.layers.archive;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.image.layer.EntryAttributes;
import io.lamina.image.layer.LayerEntry;
import io.lamina.image.layer.LayerLimits;
import io.lamina.image.layer.TarEntries;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TarWriterTest {
  private static final SortedMap<String, byte[]> NONE = new TreeMap<>();

  private static byte[] archive(TarWriter.Header header, byte[] content) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TarWriter tar = new TarWriter(out);
    tar.begin(header);
    out.writeBytes(content);
    tar.endContent(content.length);
    tar.end();
    return out.toByteArray();
  }

  private static TarWriter.Header file(byte[] name, long size, SortedMap<String, byte[]> xattrs) {
    return new TarWriter.Header(
        TarWriter.Type.FILE, name, new byte[0], 06755, 1, 2, size, 1_700_000_000, 0, 0, xattrs);
  }

  private static LayerEntry only(byte[] archive) {
    TarEntries entries = TarEntries.of(new ByteArrayInputStream(archive), LayerLimits.DEFAULT);
    LayerEntry entry = entries.next().orElseThrow();
    assertThat(entries.next()).isEmpty();
    return entry;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 99, 100, 101, 155, 156, 200, 255})
  void keepsNamesOfAllLengths(int length) throws IOException {
    for (String directory : new String[] {"", "d/", "d".repeat(90) + "/", "d".repeat(200) + "/"}) {
      byte[] name = RawTar.latin1(directory + "\u00ff".repeat(length));

      byte[] archive = archive(file(name, 0, NONE), new byte[0]);

      assertThat(only(archive).path().bytes()).isEqualTo(name);
    }
  }

  @Test
  void keepsAttributesOfAnyBytes() throws IOException {
    TreeMap<String, byte[]> xattrs = new TreeMap<>();
    byte[] all = new byte[256];
    for (int i = 0; i < 256; i++) {
      all[i] = (byte) i;
    }
    for (int length = 90; length < 110; length++) {
      xattrs.put("user.n" + length, Arrays.copyOf(all, length));
    }
    xattrs.put("security.capability", all);

    EntryAttributes read =
        ((LayerEntry.RegularFile) only(archive(file(new byte[] {'f'}, 0, xattrs), new byte[0])))
            .attributes();

    assertThat(read.xattrs()).containsExactlyEntriesOf(xattrs);
    assertThat(read.permissions()).isEqualTo(06755);
  }

  @Test
  void keepsNumbersThatHeadersHaveNoRoomFor() throws IOException {
    TarWriter.Header header =
        new TarWriter.Header(
            TarWriter.Type.DIRECTORY,
            RawTar.latin1("d/"),
            new byte[0],
            01777,
            4_000_000_000L,
            2_097_152,
            0,
            -86_400,
            0,
            0,
            NONE);

    EntryAttributes read = ((LayerEntry.Directory) only(archive(header, new byte[0]))).attributes();

    assertThat(read.uid()).isEqualTo(4_000_000_000L);
    assertThat(read.gid()).isEqualTo(2_097_152);
    assertThat(read.mtimeSeconds()).isEqualTo(-86_400);
  }

  @Test
  void tellsTheSizeOfHugeFiles() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new TarWriter(out).begin(file(RawTar.latin1("huge"), 10L << 30, NONE));

    TarArchiveEntry entry =
        new TarArchiveInputStream(new ByteArrayInputStream(out.toByteArray())).getNextEntry();

    assertThat(entry.getSize()).isEqualTo(10L << 30);
  }

  @Test
  void isReadByOthers() throws IOException {
    byte[] archive =
        archive(
            file(
                RawTar.latin1("a/" + "b".repeat(180)),
                3,
                new TreeMap<>(Map.of("user.x", new byte[] {'1'}))),
            new byte[] {1, 2, 3});

    try (TarArchiveInputStream in = new TarArchiveInputStream(new ByteArrayInputStream(archive))) {
      TarArchiveEntry entry = in.getNextEntry();
      assertThat(entry.getName()).isEqualTo("a/" + "b".repeat(180));
      assertThat(entry.getExtraPaxHeader("SCHILY.xattr.user.x")).isEqualTo("1");
      assertThat(in.readAllBytes()).containsExactly(1, 2, 3);
      assertThat(in.getNextEntry()).isNull();
    }
  }
}
