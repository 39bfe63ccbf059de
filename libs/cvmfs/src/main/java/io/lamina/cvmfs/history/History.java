package io.lamina.cvmfs.history;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The database of named snapshots, held in memory: opened from an object's content, changed, and
 * turned into bytes again. The same changes on the same bytes give the same bytes.
 *
 * <p>Source: docs/format/history.md, "Tags". Not thread-safe; close it.
 */
public final class History implements AutoCloseable {
  /** A database with more is refused. */
  public static final int MAX_TAGS = 100_000;

  /** The longest database that is read, in bytes. */
  public static final int MAX_BYTES = MemoryDatabase.MAX_BYTES;

  private static final String WHAT = "the history database";
  private static final String SCHEMA = "1.0";
  private static final String GENERIC = "generic-";
  // The first text after all that start with GENERIC: '.' follows '-'.
  private static final String GENERIC_END = "generic.";
  private static final String NO_HASH = "0".repeat(40);
  private static final DateTimeFormatter GENERIC_TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

  private static final List<String> DDL =
      List.of(
          "CREATE TABLE properties (key TEXT, value TEXT,"
              + " CONSTRAINT pk_properties PRIMARY KEY (key))",
          "CREATE TABLE branches (branch TEXT, parent TEXT, initial_revision INTEGER,"
              + " CONSTRAINT pk_branch PRIMARY KEY (branch),"
              + " FOREIGN KEY (parent) REFERENCES branches (branch),"
              + " CHECK ((branch <> '') OR (parent IS NULL)),"
              + " CHECK ((branch = '') OR (parent IS NOT NULL)))",
          "CREATE TABLE tags (name TEXT, hash TEXT, revision INTEGER, timestamp INTEGER,"
              + " channel INTEGER, description TEXT, size INTEGER, branch TEXT,"
              + " CONSTRAINT pk_tags PRIMARY KEY (name),"
              + " FOREIGN KEY (branch) REFERENCES branches (branch))",
          "CREATE TABLE recycle_bin (hash TEXT, flags INTEGER,"
              + " CONSTRAINT pk_hash PRIMARY KEY (hash))",
          "INSERT INTO branches (branch, parent, initial_revision) VALUES ('', NULL, 0)",
          "INSERT INTO properties (key, value) VALUES ('schema', '" + SCHEMA + "')",
          "INSERT INTO properties (key, value) VALUES ('schema_revision', '3')");

  private static final String COLUMNS =
      "SELECT name, hash, size, revision, timestamp, description, branch FROM tags ";

  /**
   * A line of development; the main one has an empty name and no parent.
   *
   * @param parent name of the branch that it left; empty for the main branch
   */
  public record Branch(String name, Optional<String> parent, long initialRevision) {}

  private final MemoryDatabase database;

  private History(MemoryDatabase database) {
    this.database = database;
  }

  /** An empty history. Do not publish it before it has a tag: the original check refuses that. */
  public static History create(RepositoryName repository) {
    MemoryDatabase database = MemoryDatabase.create(WHAT, DDL);
    database.update("INSERT INTO properties (key, value) VALUES ('fqrn', ?)", repository);
    database.update("INSERT INTO properties VALUES ('previous_revision', ?)", NO_HASH);
    return new History(database);
  }

  /**
   * Opens the content of a history object.
   *
   * @throws CvmfsException.Corrupt if it is not a history of this repository
   * @throws CvmfsException.Rejected if its schema is not supported
   */
  public static History open(byte[] bytes, RepositoryName repository) {
    MemoryDatabase database =
        MemoryDatabase.open(WHAT, bytes, List.of("properties", "branches", "tags"));
    try {
      Properties.require(database, WHAT, SCHEMA, repository);
      long count = database.number("SELECT count(*) FROM tags");
      if (count > MAX_TAGS) {
        throw new CvmfsException.Corrupt(WHAT + " has " + count + " tags, more than " + MAX_TAGS);
      }
      return new History(database);
    } catch (CvmfsException e) {
      database.close();
      throw e;
    }
  }

  /** All tags, newest revision first, and by name within a revision. */
  public List<Tag> tags() {
    return select("ORDER BY revision DESC, name");
  }

  public Optional<Tag> tag(String name) {
    return select("WHERE name = ?", name).stream().findFirst();
  }

  public List<Branch> branches() {
    return database.query(
        "SELECT branch, parent, initial_revision FROM branches ORDER BY branch LIMIT " + MAX_TAGS,
        statement -> {
          List<Branch> branches = new ArrayList<>();
          try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
              branches.add(
                  new Branch(
                      Optional.ofNullable(rows.getString(1)).orElse(""),
                      Optional.ofNullable(rows.getString(2)),
                      rows.getLong(3)));
            }
          }
          return branches;
        });
  }

  /** The history object before this one. */
  public Optional<ContentHash> previous() {
    return Properties.value(database, "previous_revision")
        .filter(text -> !text.startsWith(NO_HASH) && !text.isEmpty())
        .map(ContentHash::parse);
  }

  /**
   * Adds a tag, or moves it if it exists.
   *
   * @throws CvmfsException.Rejected for the names that {@link #advance} keeps, or for a branch that
   *     does not exist
   */
  public void put(Tag tag) {
    if (tag.name().equals(Tag.TRUNK) || tag.name().equals(Tag.TRUNK_PREVIOUS)) {
      throw new CvmfsException.Rejected("the tag '" + tag.name() + "' moves by itself");
    }
    if (branches().stream().noneMatch(branch -> branch.name().equals(tag.branch()))) {
      throw new CvmfsException.Rejected("there is no branch '" + tag.branch() + "'");
    }
    replace(tag);
  }

  /** Removes a tag; whether there was one. */
  public boolean remove(String name) {
    return database.update("DELETE FROM tags WHERE name = ?", name) > 0;
  }

  /**
   * Records a publication: moves {@code trunk} to it and {@code trunk-previous} to where {@code
   * trunk} was, adds a tag named after its time, and drops the oldest of those.
   *
   * @param previousHistory the object that this history was opened from, empty for a new one
   * @param maxGenericTags how many tags named after times are kept; 0 for none
   * @throws CvmfsException.Rejected if the head is newer already
   */
  public void advance(
      Tag.Snapshot head, Optional<ContentHash> previousHistory, int maxGenericTags) {
    Optional<Tag> trunk = tag(Tag.TRUNK);
    if (trunk.isPresent()) {
      Tag.Snapshot old = trunk.get().snapshot();
      if (old.revision() >= head.revision()) {
        throw new CvmfsException.Rejected(
            "the history is at revision "
                + old.revision()
                + " already; it cannot advance to "
                + head.revision());
      }
      replace(Tag.of(Tag.TRUNK_PREVIOUS, old, "default undo target"));
    }
    if (maxGenericTags > 0) {
      replace(Tag.of(freeGenericName(head), head, ""));
    }
    dropOldestGenerics(maxGenericTags);
    replace(Tag.of(Tag.TRUNK, head, "current HEAD"));
    database.update(
        "INSERT OR REPLACE INTO properties (key, value) VALUES ('previous_revision', ?)",
        previousHistory.map(ContentHash::toString).orElse(NO_HASH));
  }

  /** The database file's bytes: the content of the history object, before compression. */
  public byte[] toBytes() {
    return database.bytes();
  }

  @Override
  public void close() {
    database.close();
  }

  private void replace(Tag tag) {
    remove(tag.name());
    Tag.Snapshot snapshot = tag.snapshot();
    database.update(
        "INSERT INTO tags (name, hash, revision, timestamp, channel, description, size, branch)"
            + " VALUES (?, ?, ?, ?, 0, ?, ?, ?)",
        tag.name(),
        snapshot.root(),
        snapshot.revision(),
        snapshot.publishedSeconds(),
        tag.description(),
        snapshot.rootSizeBytes(),
        tag.branch());
  }

  /** Two publications in one second differ in their revision. */
  private String freeGenericName(Tag.Snapshot head) {
    String name = GENERIC + GENERIC_TIME.format(Instant.ofEpochSecond(head.publishedSeconds()));
    return tag(name).isPresent() ? name + "_" + head.revision() : name;
  }

  private void dropOldestGenerics(int keep) {
    database.update(
        "DELETE FROM tags WHERE name IN (SELECT name FROM tags WHERE name >= ? AND name < ?"
            + " ORDER BY name DESC LIMIT -1 OFFSET ?)",
        GENERIC,
        GENERIC_END,
        keep);
  }

  private List<Tag> select(String clause, Object... values) {
    return database.query(
        COLUMNS + clause,
        statement -> {
          for (int i = 0; i < values.length; i++) {
            statement.setString(i + 1, values[i].toString());
          }
          List<Tag> tags = new ArrayList<>();
          try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
              tags.add(read(rows));
            }
          }
          return tags;
        });
  }

  private static Tag read(ResultSet rows) throws SQLException {
    String name = Optional.ofNullable(rows.getString(1)).orElse("");
    try {
      return new Tag(
          name,
          new Tag.Snapshot(
              ContentHash.parse(Optional.ofNullable(rows.getString(2)).orElse("")),
              rows.getLong(3),
              rows.getLong(4),
              rows.getLong(5)),
          Optional.ofNullable(rows.getString(6)).orElse(""),
          Optional.ofNullable(rows.getString(7)).orElse(""));
    } catch (CvmfsException.Rejected e) {
      throw new CvmfsException.Corrupt(WHAT + " has a bad row for tag '" + name + "'", e);
    }
  }
}
