package io.lamina.repository.releasemanager;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.reader.RepositoryReader;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.repository.Follower;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryDefinition.Backend;
import io.lamina.repository.RepositoryException;
import io.lamina.storage.StorageException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.commons.io.file.PathUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a release manager's repository to our revisions by {@code cvmfs_server}: the difference
 * between what it shows and what it is to show is written as one archive and ingested in one
 * transaction, together with the link that says so. What the tool cannot replace is removed before.
 *
 * <p>The archive is complete on disk before the tool starts: the tool takes a stream that ends
 * early for a shorter archive, and publishes it.
 *
 * <p>Thread-safe; sessions exclude each other.
 *
 * <p>Source: docs/adr/0005-cvmfs-server-follows-the-catalogs.md.
 */
public final class ReleaseManager implements Follower {
  private static final Logger LOG = LoggerFactory.getLogger(ReleaseManager.class);

  /** Paths that survive the tool, which joins them with colons and passes them through a shell. */
  private static final Pattern DELETABLE = Pattern.compile("[A-Za-z0-9._@+/-]+");

  /** The tool puts all paths of one call into one argument, which Linux limits to 128 KiB. */
  private static final int MAX_DELETED_CHARS = 60_000;

  private static final long ROOM_LEFT_BYTES = 256L << 20;

  private final Repository repository;
  private final Backend.CvmfsServer server;
  private final Clock clock;
  private final MasterKeys ownKeys;

  private ReleaseManager(
      Repository repository, Backend.CvmfsServer server, Clock clock, MasterKeys ownKeys) {
    this.repository = repository;
    this.server = server;
    this.clock = clock;
    this.ownKeys = ownKeys;
  }

  /**
   * @param repository where our catalogs and objects are; stays the caller's to close
   * @param server as its definition says
   */
  public static ReleaseManager of(Repository repository, Backend.CvmfsServer server, Clock clock) {
    return new ReleaseManager(
        repository,
        server,
        clock,
        MasterKeys.load(repository.keyFolder().resolve(repository.name() + ".pub")));
  }

  @Override
  public Session begin() {
    WorkFolder work = WorkFolder.open(repository.workFolder());
    try {
      ServerTool tool = new ServerTool(repository.name(), server, work);
      tool.recover();
      work.clear();
      return new Work(work, tool);
    } catch (RuntimeException e) {
      work.close();
      throw e;
    }
  }

  private RepositoryName name() {
    return repository.name();
  }

  /** One session. */
  private final class Work implements Session {
    private final WorkFolder work;
    private final ServerTool tool;
    private final RepositoryFiles staged = new StoredFiles(repository.store());

    Work(WorkFolder work, ServerTool tool) {
      this.work = work;
      this.tool = tool;
    }

    @Override
    public boolean isEmpty() {
      try (PublishedRepository published = published()) {
        return published.shown().isEmpty();
      }
    }

    @Override
    public boolean shows(ContentHash root) {
      if (!work.suspects().isEmpty()) {
        return false;
      }
      try (PublishedRepository published = published()) {
        return published.shown().equals(Optional.of(root));
      }
    }

    private PublishedRepository published() {
      return PublishedRepository.open(name(), server, work.scratch(), clock);
    }

    private RepositoryReader ours(ContentHash root) {
      ReaderSettings settings =
          ReaderSettings.of(name(), ownKeys, clock).withScratch(work.scratch());
      return RepositoryReader.ofRoot(staged, settings, root);
    }

    @Override
    public void show(ContentHash root) {
      try (RepositoryReader target = ours(root)) {
        TreeDifference.Plan plan;
        try (PublishedRepository published = published()) {
          plan = plan(published, target);
        }
        TreeArchive archive = new TreeArchive(target, plan.puts());
        requireFaithful(archive.survey());
        Steps steps = Steps.of(plan);
        write(archive, target, root, steps);
        try {
          change(root, steps);
        } catch (RepositoryException failure) {
          decide(root, failure);
        }
        verify(plan, target, root);
        work.forgetSuspects();
      } catch (CvmfsException e) {
        throw translated(e);
      }
    }

    private TreeDifference.Plan plan(PublishedRepository published, RepositoryReader target) {
      Optional<ContentHash> shown = published.shown();
      shown.ifPresent(this::requireOurs);
      Optional<RepositoryReader> before = shown.map(this::ours);
      try {
        return new TreeDifference(before, work.suspects(), target, published).plan();
      } finally {
        before.ifPresent(RepositoryReader::close);
      }
    }

    private void requireOurs(ContentHash shown) {
      try {
        if (staged.exists(ObjectKind.CATALOG.pathOf(shown))) {
          return;
        }
      } catch (StorageException e) {
        throw new RepositoryException.Retryable("cannot look for catalog " + shown, e);
      }
      throw new RepositoryException.Rejected(
          "the repository "
              + name()
              + " on the release manager shows "
              + shown
              + ", which was not made here: another publisher with its own storage publishes to it."
              + " Give that one up, or remove the link "
              + PublishedRepository.MARKER
              + " in a transaction of cvmfs_server to take over");
    }

    private void requireFaithful(TreeArchive.Survey survey) {
      if (survey.losses() == 0) {
        return;
      }
      String what =
          "cvmfs_server drops something of "
              + survey.losses()
              + " entries, such as "
              + survey.firstLoss().orElse("");
      if (!server.acceptsLosses()) {
        throw new RepositoryException.Rejected(
            what
                + "; publish "
                + name()
                + " with the native backend, or accept it with \"losses\": \"accept\" in its"
                + " definition");
      }
      LOG.atWarn().addKeyValue("repository", name()).log(what);
    }

    // ---- doing it ---------------------------------------------------------------------------

    private void write(
        TreeArchive archive, RepositoryReader target, ContentHash root, Steps steps) {
      if (steps.endsInTransaction()) {
        return;
      }
      try {
        long needed = archive.survey().sizeBytes();
        if (work.usableBytes() - ROOM_LEFT_BYTES < needed) {
          throw new RepositoryException.Retryable(
              "the archive for "
                  + name()
                  + " needs up to "
                  + needed
                  + " bytes, and there is not enough room for it at "
                  + work.archive(),
              null);
        }
        try (OutputStream out =
            new BufferedOutputStream(Files.newOutputStream(work.archive()), 1 << 16)) {
          archive.write(out, root, timeOf(target));
        }
      } catch (IOException e) {
        throw new RepositoryException.Retryable(
            "cannot write the archive " + work.archive() + ": " + e.getMessage(), e);
      }
    }

    private long timeOf(RepositoryReader target) {
      return target.stat(RepositoryPath.ROOT).entry().mtimeSeconds();
    }

    private void change(ContentHash root, Steps steps) {
      if (!steps.first().isEmpty()) {
        // From here on the marker says more than is there, until all is done.
        Set<RepositoryPath> suspects = new TreeSet<>(work.suspects());
        suspects.addAll(steps.first());
        work.noteSuspects(suspects);
      }
      for (List<RepositoryPath> batch : Steps.batches(steps.firstByTool())) {
        tool.complete(ingest(List.of(), batch));
      }
      if (!steps.byHand().isEmpty()) {
        tool.inTransaction(
            () -> {
              steps.byHand().forEach(this::remove);
              if (steps.endsInTransaction()) {
                mark(root);
              }
            });
      }
      if (!steps.endsInTransaction()) {
        List<List<RepositoryPath>> batches = Steps.batches(steps.last());
        for (int i = 0; i + 1 < batches.size(); i++) {
          tool.complete(ingest(List.of(), batches.get(i)));
        }
        tool.complete(
            ingest(
                List.of("-t", work.archive().toString(), "-b", "/", "-k"),
                batches.isEmpty() ? List.of() : batches.getLast()));
      }
    }

    private List<String> ingest(List<String> additions, List<RepositoryPath> removals) {
      List<String> arguments = new ArrayList<>();
      arguments.add("ingest");
      arguments.addAll(additions);
      for (RepositoryPath path : removals) {
        arguments.add("-d");
        arguments.add(path.toString().substring(1));
      }
      arguments.add(name().value());
      return arguments;
    }

    /** In the mounted repository. Links are removed, never followed. */
    private void remove(RepositoryPath path) {
      Path target = mounted(path);
      try {
        PathUtils.delete(target); // follows no link
      } catch (NoSuchFileException e) {
        // It is gone already.
      } catch (IOException e) {
        throw new RepositoryException.Retryable("cannot remove " + target, e);
      }
    }

    private void mark(ContentHash root) {
      Path marker = mounted(PublishedRepository.MARKER);
      try {
        Files.deleteIfExists(marker);
        Files.createSymbolicLink(marker, Path.of(root.toString()));
      } catch (IOException e) {
        throw new RepositoryException.Retryable("cannot make the link " + marker, e);
      }
    }

    private Path mounted(RepositoryPath path) {
      Path result = server.mount();
      for (String name : path.toString().substring(1).split("/", -1)) {
        if (Files.exists(result, LinkOption.NOFOLLOW_LINKS)
            && !Files.isDirectory(result, LinkOption.NOFOLLOW_LINKS)) {
          throw new RepositoryException.Retryable(result + " is no directory", null);
        }
        result = result.resolve(name);
      }
      return result;
    }

    // ---- what came of it --------------------------------------------------------------------

    /** The tool failed, or seemed to: what the repository shows decides. */
    private void decide(ContentHash root, RepositoryException failure) {
      boolean done;
      try (PublishedRepository published = published()) {
        done = published.shown().equals(Optional.of(root));
      } catch (RepositoryException e) {
        RepositoryException.OutcomeUnknown unknown =
            new RepositoryException.OutcomeUnknown(
                "whether "
                    + name()
                    + " shows the new revision is not known: cvmfs_server failed, and the"
                    + " repository cannot be read",
                failure);
        unknown.addSuppressed(e);
        throw unknown;
      }
      if (!done) {
        throw failure;
      }
      LOG.atWarn()
          .addKeyValue("repository", name())
          .addKeyValue("reason", failure.getMessage())
          .log("cvmfs_server failed after it had published");
    }

    /** Compares what is shown with what was asked for, entry by entry. */
    private void verify(TreeDifference.Plan plan, RepositoryReader target, ContentHash root) {
      try (PublishedRepository published = published()) {
        if (!published.shown().equals(Optional.of(root))) {
          throw new RepositoryException.OutcomeUnknown(
              "cvmfs_server reported success, and "
                  + name()
                  + " at "
                  + server.read()
                  + " does not show it: is a cache being read?",
              null);
        }
        Set<RepositoryPath> wrong = new TreeSet<>();
        Set<RepositoryPath> put = new TreeSet<>();
        for (TreeDifference.Put each : plan.puts()) {
          put.add(each.path());
          if (each.whole() && !isShown(target, published, each.path())) {
            wrong.add(each.path());
          }
        }
        for (RepositoryPath path : plan.removals()) {
          if (!put.contains(path) && published.find(path).isPresent()) {
            wrong.add(path);
          }
        }
        if (!wrong.isEmpty()) {
          wrong.addAll(work.suspects());
          work.noteSuspects(wrong);
          throw new RepositoryException.Corrupt(
              "cvmfs_server reported success, and "
                  + name()
                  + " does not show what it was given at "
                  + wrong.iterator().next()
                  + (wrong.size() == 1 ? "" : " and " + (wrong.size() - 1) + " other paths")
                  + "; they will be published again",
              null);
        }
      }
    }

    private boolean isShown(
        RepositoryReader target, PublishedRepository published, RepositoryPath path) {
      return published.find(path).isPresent()
          && TreeDigest.areEqual(target, published.reader(), path);
    }

    private RepositoryException translated(CvmfsException e) {
      String what = "cannot bring " + name() + " to its release manager: " + e.getMessage();
      return switch (e) {
        case CvmfsException.Retryable _ -> new RepositoryException.Retryable(what, e);
        case CvmfsException.Rejected _ -> new RepositoryException.Rejected(what, e);
        case CvmfsException.NotFound _, CvmfsException.Corrupt _ ->
            new RepositoryException.Corrupt(what, e);
      };
    }

    @Override
    public void close() {
      try {
        work.clear();
      } catch (RepositoryException e) {
        LOG.atWarn().addKeyValue("repository", name()).setCause(e).log("the archive is left");
      } finally {
        work.close();
      }
    }
  }

  /**
   * The plan as the tool can do it.
   *
   * @param first all that must go before
   * @param firstByTool of those, what the tool can remove
   * @param byHand what has to be removed in the mounted repository
   * @param last what is removed together with the additions
   * @param endsInTransaction whether nothing is added, so that the marker is written by hand too
   */
  record Steps(
      List<RepositoryPath> first,
      List<RepositoryPath> firstByTool,
      List<RepositoryPath> byHand,
      List<RepositoryPath> last,
      boolean endsInTransaction) {

    static Steps of(TreeDifference.Plan plan) {
      List<RepositoryPath> firstByTool = new ArrayList<>();
      List<RepositoryPath> byHand = new ArrayList<>();
      List<RepositoryPath> last = new ArrayList<>();
      plan.first().forEach(path -> (isDeletable(path) ? firstByTool : byHand).add(path));
      plan.removals().forEach(path -> (isDeletable(path) ? last : byHand).add(path));
      boolean handOnly = !byHand.isEmpty() && plan.puts().isEmpty();
      if (handOnly) {
        firstByTool.addAll(last);
        last.clear();
      }
      List<RepositoryPath> first = new ArrayList<>(firstByTool);
      first.addAll(byHand);
      return new Steps(first, firstByTool, byHand, last, handOnly);
    }

    static boolean isDeletable(RepositoryPath path) {
      String text = new String(path.bytes(), StandardCharsets.ISO_8859_1);
      return DELETABLE.matcher(text).matches() && !text.startsWith("/-");
    }

    static List<List<RepositoryPath>> batches(List<RepositoryPath> paths) {
      List<List<RepositoryPath>> batches = new ArrayList<>();
      int room = 0;
      for (RepositoryPath path : paths) {
        int needed = path.bytes().length + 1;
        if (room < needed) {
          batches.add(new ArrayList<>());
          room = MAX_DELETED_CHARS;
        }
        batches.getLast().add(path);
        room -= needed;
      }
      return batches;
    }
  }
}
