package io.lamina.messaging;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Chunk;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.catalog.Xattrs;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.PlannedPlatform;
import io.lamina.messaging.event.Precedence;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.Retention;
import io.lamina.messaging.event.SiteOrigin;
import io.lamina.messaging.event.StoredFile;
import io.lamina.messaging.event.WorkFigures;
import io.lamina.messaging.event.WorkKey;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One event of every kind, with every optional field used somewhere. */
public final class SampleEvents {
  public static final RepositoryName REPOSITORY = new RepositoryName("images.example.org");
  public static final RequestId REQUEST = new RequestId("r-0001");
  public static final Instant TIME = Instant.parse("2026-01-02T03:04:05.000006Z");
  public static final ContentHash HASH =
      ContentHash.parse("0123456789abcdef0123456789abcdef01234567");
  public static final ContentHash OTHER_HASH =
      ContentHash.parse("89abcdef0123456789abcdef0123456789abcdef-shake128");
  public static final Digest DIGEST = new Digest("ab".repeat(32));
  public static final LayerDescriptor LAYER =
      new LayerDescriptor(
          new Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", DIGEST, 123_456),
          new Digest("cd".repeat(32)));
  public static final StoredFile FILE = new StoredFile(HASH, 2048);

  private SampleEvents() {}

  /** A small event whose key and number the caller chooses. */
  public static Event.CancelRequested cancel(String repository, String request) {
    return new Event.CancelRequested(new RequestId(request), new RepositoryName(repository));
  }

  /** A piece of work that differs by its number. */
  public static Event.LayerRequested work(int number) {
    Digest digest = new Digest("%064x".formatted(number));
    return new Event.LayerRequested(
        REPOSITORY,
        new LayerDescriptor(new Descriptor("application/x-tar", digest, number), digest),
        "docker://registry.example.org/image:1",
        number);
  }

  public static Graft graft() {
    CatalogEntry root =
        new CatalogEntry(
            0040755,
            0,
            1000,
            4096,
            -1,
            999_999_999,
            0,
            3,
            null,
            CompressionAlgorithm.ZLIB,
            new byte[0],
            Xattrs.of(Map.of("user.b", new byte[] {0, -1}, "user.a", new byte[0])),
            List.of());
    return new Graft(
        RepositoryPath.of("/.layers/ab/" + DIGEST.hex() + "/layerfs"),
        HASH,
        20_480,
        root,
        new Counters(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, Long.MAX_VALUE));
  }

  /** Entries that no layer begins with, but that show every column. */
  private static Graft unusualGraft() {
    CatalogEntry root =
        new CatalogEntry(
            0100644,
            4_294_967_295L,
            1,
            11,
            1_700_000_000,
            -1,
            7,
            2,
            OTHER_HASH,
            CompressionAlgorithm.NONE,
            new byte[0],
            Xattrs.NONE,
            List.of(new Chunk(0, 10, OTHER_HASH), new Chunk(10, 1, OTHER_HASH)));
    return new Graft(
        RepositoryPath.ofBytes(new byte[] {'/', -128, 'x'}), OTHER_HASH, 1, root, Counters.ZERO);
  }

  private static Graft linkGraft() {
    CatalogEntry root =
        new CatalogEntry(
            0120777,
            0,
            0,
            3,
            0,
            0,
            0,
            1,
            null,
            CompressionAlgorithm.ZLIB,
            new byte[] {'a', -1, 'b'},
            Xattrs.NONE,
            List.of());
    return new Graft(RepositoryPath.of("/é"), HASH, 1, root, Counters.ZERO);
  }

  public static Event.ImagePlanned planned() {
    return new Event.ImagePlanned(
        REQUEST,
        REPOSITORY,
        "docker://registry.example.org/library/debian:12",
        "registry.example.org/library/debian:12",
        List.of(
            new PlannedPlatform(
                new Platform("linux", "arm", Optional.of("v7")),
                DIGEST,
                FILE,
                LAYER.diffId(),
                FILE,
                List.of(LAYER),
                List.of(DIGEST))),
        Optional.empty(),
        TIME,
        TIME.plusSeconds(1));
  }

  private static SiteOrigin siteOrigin() {
    return new SiteOrigin("geneva", 2, new RepositoryName("images.other.example"), 21, OTHER_HASH);
  }

  public static List<Event> all() {
    WorkFigures figures = new WorkFigures(1, 2, 3, 4, 5, 6, 7, 8);
    return List.of(
        new Event.ConversionRequested(
            REQUEST,
            REPOSITORY,
            "docker://registry.example.org/library/debian:12",
            List.of(Platform.LINUX_AMD64),
            Optional.of("docker://registry.example.org/thin/debian:12"),
            TIME,
            Optional.of(new Precedence(Precedence.Priority.BULK, "mirror"))),
        planned(),
        new Event.DiffCommitRequested(REQUEST, REPOSITORY, LAYER, TIME),
        new Event.RemovalRequested(
            REQUEST,
            REPOSITORY,
            "registry.example.org/library/*",
            Event.RemovalRequested.Scope.RULE,
            true,
            Optional.of(new Retention(3, Optional.of(86_400L), true)),
            TIME,
            Optional.of(new Precedence(Precedence.Priority.INTERACTIVE, "operator"))),
        new Event.CollectionRequested(REQUEST, REPOSITORY, true, TIME, Optional.empty()),
        new Event.CollectionFinished(REPOSITORY, REQUEST, true, "removed 3 objects"),
        new Event.CancelRequested(REQUEST, REPOSITORY),
        new Event.LayerConverted(REPOSITORY, LAYER, graft(), figures),
        new Event.FlatMerged(REPOSITORY, DIGEST, unusualGraft(), figures),
        new Event.TransactionFollowed(
            REPOSITORY,
            siteOrigin(),
            1_700_000_002,
            List.of(
                new CatalogChange.Attach(graft()),
                new CatalogChange.Remove(RepositoryPath.of("/a/latest")))),
        new Event.ThinPushed(REPOSITORY, REQUEST, "docker://registry.example.org/thin:1", DIGEST),
        new Event.WorkFailed(
            REPOSITORY, new WorkKey(WorkKey.Kind.FLAT, DIGEST.hex()), "digest differs \"é\"\n"),
        new Event.WorkRetried(
            REPOSITORY, new WorkKey(WorkKey.Kind.LAYER, DIGEST.hex()), Optional.of(work(44))),
        work(42),
        new Event.FlatRequested(
            REPOSITORY, DIGEST, List.of(graft(), unusualGraft(), linkGraft()), FILE, 1_700_000_000),
        new Event.ThinRequested(
            REPOSITORY,
            REQUEST,
            "docker://registry.example.org/a:1",
            "docker://registry.example.org/thin/a:1",
            FILE,
            List.of(DIGEST)),
        new Event.PendingRequest(planned(), Optional.of(7L)),
        new Event.PendingWork(work(43)),
        new Event.PendingLayer(new Event.LayerConverted(REPOSITORY, LAYER, graft(), figures)),
        new Event.PendingFlat(new Event.FlatMerged(REPOSITORY, DIGEST, linkGraft(), figures)),
        new Event.FailedRequest(
            planned(), Optional.of(8L), new WorkKey(WorkKey.Kind.THIN, REQUEST.value())),
        new Event.JournalPosition(REPOSITORY, 12, HASH),
        new Event.FollowedPosition(REPOSITORY, siteOrigin()),
        new Event.TransactionPublished(
            REPOSITORY,
            13,
            1_700_000_001,
            HASH,
            OTHER_HASH,
            30_720,
            List.of(
                new CatalogChange.Split(RepositoryPath.of("/.layers")),
                new CatalogChange.Attach(graft()),
                new CatalogChange.PutFile(RepositoryPath.of("/a/manifest.json"), HASH, 3),
                new CatalogChange.PutSymlink(
                    RepositoryPath.of("/a/latest"), "$(CVMFS_ARCH:-amd64)"),
                new CatalogChange.Remove(RepositoryPath.ROOT)),
            List.of(REQUEST)),
        new Event.RequestStatus(
            REQUEST,
            REPOSITORY,
            Event.RequestStatus.Kind.CONVERSION,
            "docker://registry.example.org/library/debian:12",
            Event.RequestStatus.State.FAILED,
            List.of(new WorkKey(WorkKey.Kind.LAYER, DIGEST.hex())),
            Optional.of("why"),
            Optional.empty(),
            TIME,
            TIME.plusSeconds(2)),
        new Event.WorkProgress(
            REPOSITORY, new WorkKey(WorkKey.Kind.LAYER, DIGEST.hex()), 10, 100, TIME));
  }
}
