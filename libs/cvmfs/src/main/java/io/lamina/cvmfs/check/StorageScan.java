package io.lamina.cvmfs.check;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.reader.ListableRepositoryFiles;
import io.lamina.cvmfs.reader.ListableRepositoryFiles.Kind;
import io.lamina.cvmfs.reader.ListableRepositoryFiles.Listed;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Looks at every file that lies in a repository's folder, whether something names it or not: each
 * object's name must be the hash of its bytes, and nothing else may lie among the objects.
 *
 * <p>Source: docs/format/check.md, "The store". Not thread-safe.
 */
final class StorageScan {
  private static final Pattern FOLDER = Pattern.compile("data/([0-9a-f]{2}|txn)");
  private static final Pattern OBJECT =
      Pattern.compile("data/([0-9a-f]{2})/([0-9a-f]{38}(?:-rmd160|-shake128)?)([HCPXLM]?)");
  private static final String OBJECTS = "data/";
  private static final String STAGING = "data/txn/";
  private static final int MAX_STATUS_BYTES = 64 * 1024;

  private final ListableRepositoryFiles files;
  private final ObjectChecks objects;
  private final Findings findings;

  StorageScan(ListableRepositoryFiles files, ObjectChecks objects, Findings findings) {
    this.files = files;
    this.objects = objects;
    this.findings = findings;
  }

  void run() {
    try {
      files.list(this::look);
    } catch (CvmfsException.Retryable e) {
      findings.add("data", "the store cannot be listed", e);
    }
  }

  private void look(Listed listed) {
    String path = listed.path();
    if (!path.startsWith(OBJECTS)) {
      if (listed.kind() == Kind.FILE && StatusFiles.isKnown(path)) {
        lookAtStatus(path);
      }
    } else if (!path.startsWith(STAGING)) {
      switch (listed.kind()) {
        case FOLDER -> {
          if (!FOLDER.matcher(path).matches()) {
            findings.add(path, "unexpected folder among the objects");
          }
        }
        case FILE -> lookAtObject(path);
        case OTHER -> findings.add(path, "neither file nor folder among the objects");
      }
    }
  }

  private void lookAtObject(String path) {
    Matcher name = OBJECT.matcher(path);
    if (!name.matches()) {
      findings.add(path, "unexpected file name among the objects");
      return;
    }
    ContentHash hash = ContentHash.parse(name.group(1) + name.group(2));
    Optional<ObjectKind> kind = kindOf(name.group(3));
    if (kind.isEmpty() || !objects.isKnown(hash, kind.get())) {
      objects.file(path, hash);
    }
  }

  private static Optional<ObjectKind> kindOf(String suffix) {
    for (ObjectKind kind : ObjectKind.values()) {
      if (kind.suffix().equals(suffix)) {
        return Optional.of(kind);
      }
    }
    return Optional.empty();
  }

  private void lookAtStatus(String path) {
    try (InputStream in = files.open(path)) {
      byte[] content = in.readNBytes(MAX_STATUS_BYTES);
      StatusFiles.problem(path, new String(content, StandardCharsets.ISO_8859_1))
          .ifPresent(problem -> findings.add(path, problem));
    } catch (IOException e) {
      findings.add(path, "cannot be read: " + e.getMessage());
    } catch (CvmfsException.NotFound e) {
      // It comes and goes; it was there when the folder was listed.
    } catch (CvmfsException e) {
      findings.add(path, "cannot be read", e);
    }
  }
}
