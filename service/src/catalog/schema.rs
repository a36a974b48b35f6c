//! The tables, as the list of steps that lead to them.
//!
//! A step that has been released is never edited; a change is a new step at the end. Step `n` (from 0) brings a
//! catalog of version `n` to version `n + 1`.
//!
//! * `files.dir` is the directory's path with a slash at both ends: `/` for the root, `/DCIM/Camera/` below it. So the
//!   tree at `/DCIM/` is the single range `/DCIM/` ≤ dir < `/DCIM0` (`0` follows `/` in ASCII), the root included.
//! * `files_path` makes a path unique. `files_listing` repeats it with every column that an open or a listing asks for,
//!   so that neither touches the table, whose rows grow with what later steps add.
//! * A directory has no row: what exists is the lower file system's to say.
//! * `files.bucket` is the directory once more, as a number (`bucket_of` in `functions`). `inferred` and `sort_title` are
//!   what lists are sorted by where a file does not tell its time or title; they are computed, never written.
//! * The indices of the form (volume, user, media type, key) are one for each order that is asked for of many files: an arm
//!   of a query (see `query`) is a walk along one. The id is the last column of every index. By name and by size, and by
//!   title what is no sound, files are sorted when somebody asks: such an index would cost every new file a page of its
//!   own in the log.
//! * What a media file says of itself is in `media`, and where it was made in `locations`, so that neither is read along
//!   with a row by accident. `scanned` says that both are of the version of the file that the row describes.
//! * `deleted_media` remembers images and videos that went from view, for who keeps a copy. The triggers stamp it with the
//!   generation of the running transaction, which `meta` gets only at the end of it. They keep what the listing rule asks of a
//!   row: who could not see the file does not hear that it went.
//! * `meta.epoch` is a number that each start draws, and writes into a file beside the database as well (see `open`).
//! * A volume is a name and a marker: the same name may have stood for several file systems, one at a time.
//! * A grant hangs on the row of a file, which keeps its id when the file is renamed. It goes with the row, and when
//!   the row becomes that of another file (`grants_replaced`); `birth` tells that file from a later one with its inode
//!   number, after the index was mended while nobody watched.
//! * A departure is a package (of one user, or of all: -1) whose files on a volume are still to be made nobody's.
//! * `volumes.marked` is the generation up to which files carry the ids of their rows.
//! * A finding hangs on a lower inode, not on a row of `files`: it is stored for indexed files only, though, and goes
//!   when the row does. That takes a finding away too early at worst, as when the inode number is another file's by then.
//! * A link hangs on the row of a file as a grant does, and whom it was given to hangs on the link.

/// Every step, oldest first.
pub(super) const STEPS: &[&str] = &[
    "
CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('generation', 0), ('clean', 1);

CREATE TABLE volumes (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL,
    reconciled INTEGER NOT NULL DEFAULT 0 CHECK (reconciled IN (0, 1))
) STRICT;

CREATE TABLE files (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    volume_id           INTEGER NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
    user_id             INTEGER NOT NULL,
    dir                 BLOB NOT NULL,
    name                BLOB NOT NULL,
    owner               TEXT,
    mime                TEXT NOT NULL,
    media_type          INTEGER NOT NULL,
    pending             INTEGER NOT NULL CHECK (pending IN (0, 1)),
    trashed             INTEGER NOT NULL CHECK (trashed IN (0, 1)),
    ino                 INTEGER NOT NULL,
    size                INTEGER NOT NULL,
    mtime_ns            INTEGER NOT NULL,
    generation_added    INTEGER NOT NULL,
    generation_modified INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX files_path ON files (volume_id, user_id, dir, name);
CREATE INDEX files_listing ON files
    (volume_id, user_id, dir, name, owner, mime, media_type, pending, trashed, ino, size, mtime_ns);
CREATE INDEX files_owner ON files (owner) WHERE owner IS NOT NULL;

CREATE TABLE packages (
    name   TEXT PRIMARY KEY NOT NULL,
    record TEXT
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE grants (
    id      INTEGER PRIMARY KEY NOT NULL,
    package TEXT NOT NULL,
    user_id INTEGER NOT NULL,
    file_id INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    kind    INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2),
    birth   INTEGER NOT NULL,
    expires INTEGER,
    created INTEGER NOT NULL,
    UNIQUE (package, user_id, file_id, kind)
) STRICT;
CREATE INDEX grants_file ON grants (file_id);
CREATE TRIGGER grants_replaced AFTER UPDATE OF ino ON files WHEN old.ino <> new.ino BEGIN
    DELETE FROM grants WHERE file_id = old.id;
END;
",
    "
-- Foreign keys are off while steps run: dropping the table takes no files with it.
CREATE TABLE volumes_new (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    marker     TEXT,
    seen       INTEGER NOT NULL DEFAULT 0,
    reconciled INTEGER NOT NULL DEFAULT 0 CHECK (reconciled IN (0, 1))
) STRICT;
INSERT INTO volumes_new (id, name, kind, reconciled) SELECT id, name, kind, reconciled FROM volumes;
DROP TABLE volumes;
ALTER TABLE volumes_new RENAME TO volumes;
CREATE UNIQUE INDEX volumes_name ON volumes (name, coalesce(marker, ''));

ALTER TABLE files ADD COLUMN birth INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN expires INTEGER;
ALTER TABLE files ADD COLUMN favorite INTEGER NOT NULL DEFAULT 0 CHECK (favorite IN (0, 1));
ALTER TABLE files ADD COLUMN added INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN taken INTEGER;
ALTER TABLE files ADD COLUMN title TEXT;
ALTER TABLE files ADD COLUMN bucket INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN scanned INTEGER NOT NULL DEFAULT 0 CHECK (scanned IN (0, 1));
ALTER TABLE files ADD COLUMN inferred INTEGER AS (coalesce(taken, mtime_ns / 1000000)) VIRTUAL;
ALTER TABLE files ADD COLUMN sort_title ANY COLLATE NOCASE AS (coalesce(title, name)) VIRTUAL;
UPDATE files SET
    birth = coalesce((SELECT max(birth) FROM grants WHERE file_id = files.id), 0),
    added = mtime_ns / 1000000000,
    bucket = bucket_of(volume_id, user_id, dir);

DROP INDEX files_listing;
CREATE INDEX files_listing ON files
    (volume_id, user_id, dir, name, owner, mime, media_type, pending, trashed, expires, ino, birth, size, mtime_ns);
CREATE INDEX files_taken ON files (volume_id, user_id, media_type, inferred);
CREATE INDEX files_modified ON files (volume_id, user_id, media_type, mtime_ns);
CREATE INDEX files_added ON files (volume_id, user_id, media_type, added);
CREATE INDEX files_title ON files (volume_id, user_id, sort_title) WHERE media_type = 2;
CREATE INDEX files_generation ON files (volume_id, user_id, generation_modified);
CREATE INDEX files_bucket ON files (bucket, media_type, inferred);
CREATE INDEX files_favorite ON files (volume_id, user_id, inferred) WHERE favorite = 1;
CREATE INDEX files_expires ON files (expires) WHERE expires IS NOT NULL;
CREATE INDEX files_unscanned ON files (volume_id) WHERE scanned = 0 AND media_type BETWEEN 1 AND 4;

CREATE TABLE media (
    id                 INTEGER PRIMARY KEY NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    mime               TEXT,
    width              INTEGER,
    height             INTEGER,
    orientation        INTEGER,
    duration_ms        INTEGER,
    bitrate            INTEGER,
    has_audio          INTEGER NOT NULL,
    artist             TEXT,
    album              TEXT,
    album_artist       TEXT,
    composer           TEXT,
    genre              TEXT,
    track              INTEGER,
    disc               INTEGER,
    tracks             INTEGER,
    year               INTEGER CHECK (year <> 0),
    compilation        INTEGER,
    sample_rate        INTEGER,
    bits_per_sample    INTEGER,
    has_album_art      INTEGER,
    has_video          INTEGER NOT NULL,
    codec              TEXT,
    frame_rate_milli   INTEGER,
    color_standard     INTEGER,
    color_transfer     INTEGER,
    color_range        INTEGER,
    has_image          INTEGER NOT NULL,
    exposure_time      TEXT,
    f_number           TEXT,
    iso                INTEGER,
    scene_capture_type INTEGER,
    description        TEXT,
    special_format     INTEGER,
    has_xmp            INTEGER NOT NULL,
    document_id        TEXT,
    instance_id        TEXT,
    original_document  TEXT
) STRICT;
CREATE INDEX media_album ON media (album) WHERE album IS NOT NULL;
CREATE INDEX media_artist ON media (artist) WHERE artist IS NOT NULL;
CREATE INDEX media_genre ON media (genre) WHERE genre IS NOT NULL;

CREATE TABLE locations (
    id           INTEGER PRIMARY KEY NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    latitude_e7  INTEGER NOT NULL,
    longitude_e7 INTEGER NOT NULL
) STRICT;

CREATE TABLE deleted_media (
    id         INTEGER PRIMARY KEY NOT NULL,
    volume_id  INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    deleted    INTEGER NOT NULL
) STRICT;
CREATE INDEX deleted_media_of ON deleted_media (volume_id, user_id, generation);
CREATE INDEX deleted_media_age ON deleted_media (generation, deleted);

INSERT INTO meta (key, value) VALUES
    ('session', random() & 0x7fffffffffffffff),
    ('next_id', 1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'files'), 0)),
    ('forgotten', (SELECT value FROM meta WHERE key = 'generation'));

DROP TRIGGER grants_replaced;
CREATE TRIGGER grants_replaced AFTER UPDATE OF ino, birth ON files
WHEN old.ino <> new.ino OR (old.birth <> new.birth AND old.birth <> 0) BEGIN
    DELETE FROM grants WHERE file_id = old.id;
END;
CREATE TRIGGER media_added AFTER INSERT ON files
WHEN new.media_type IN (1, 3) AND NOT new.pending AND NOT new.trashed BEGIN
    DELETE FROM deleted_media WHERE id = new.id;
END;
CREATE TRIGGER media_deleted AFTER DELETE ON files
WHEN old.media_type IN (1, 3) AND NOT old.pending BEGIN
    INSERT OR REPLACE INTO deleted_media (id, volume_id, user_id, generation, deleted)
    SELECT old.id, old.volume_id, old.user_id, value + 1, unixepoch() FROM meta WHERE key = 'generation';
END;
CREATE TRIGGER media_hidden AFTER UPDATE OF media_type, pending, trashed ON files
WHEN old.media_type IN (1, 3) AND NOT old.pending AND NOT old.trashed
    AND NOT (new.media_type IN (1, 3) AND NOT new.pending AND NOT new.trashed) BEGIN
    INSERT OR REPLACE INTO deleted_media (id, volume_id, user_id, generation, deleted)
    SELECT old.id, old.volume_id, old.user_id, value + 1, unixepoch() FROM meta WHERE key = 'generation';
END;
CREATE TRIGGER media_shown AFTER UPDATE OF media_type, pending, trashed ON files
WHEN new.media_type IN (1, 3) AND NOT new.pending AND NOT new.trashed
    AND NOT (old.media_type IN (1, 3) AND NOT old.pending AND NOT old.trashed) BEGIN
    DELETE FROM deleted_media WHERE id = new.id;
END;
",
    "
CREATE TABLE findings (
    volume_id INTEGER NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
    ino       INTEGER NOT NULL,
    birth     INTEGER NOT NULL,
    size      INTEGER NOT NULL,
    mtime_ns  INTEGER NOT NULL,
    ctime_ns  INTEGER NOT NULL,
    version   INTEGER NOT NULL,
    hidden    BLOB,
    PRIMARY KEY (volume_id, ino)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER findings_removed AFTER DELETE ON files BEGIN
    DELETE FROM findings WHERE volume_id = old.volume_id AND ino = old.ino;
END;
CREATE TRIGGER findings_replaced AFTER UPDATE OF ino ON files WHEN old.ino <> new.ino BEGIN
    DELETE FROM findings WHERE volume_id = old.volume_id AND ino = old.ino;
END;
",
    "
CREATE TABLE links (
    file_id INTEGER PRIMARY KEY NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    name    BLOB NOT NULL UNIQUE CHECK (length(name) = 16),
    birth   INTEGER NOT NULL
) STRICT;
CREATE TABLE link_readers (
    file_id INTEGER NOT NULL REFERENCES links (file_id) ON DELETE CASCADE,
    package TEXT NOT NULL,
    user_id INTEGER NOT NULL,
    PRIMARY KEY (file_id, package, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_readers_of ON link_readers (package, user_id);
CREATE TRIGGER links_replaced AFTER UPDATE OF ino, birth ON files
WHEN old.ino <> new.ino OR (old.birth <> new.birth AND old.birth <> 0) BEGIN
    DELETE FROM links WHERE file_id = old.id;
END;
",
    "
CREATE TABLE departures (
    volume_id INTEGER NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
    package   TEXT NOT NULL,
    user_id   INTEGER NOT NULL,
    PRIMARY KEY (volume_id, package, user_id)
) STRICT, WITHOUT ROWID;
ALTER TABLE volumes ADD COLUMN marked INTEGER NOT NULL DEFAULT 0;
",
    "
-- Whose the old ones were was not noted.
DROP TABLE deleted_media;
UPDATE meta SET value = (SELECT value FROM meta WHERE key = 'generation') WHERE key = 'forgotten';
CREATE TABLE deleted_media (
    id         INTEGER PRIMARY KEY NOT NULL,
    volume_id  INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    dir        BLOB NOT NULL,
    name       BLOB NOT NULL,
    owner      TEXT,
    media_type INTEGER NOT NULL,
    trashed    INTEGER NOT NULL,
    birth      INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    deleted    INTEGER NOT NULL
) STRICT;
CREATE INDEX deleted_media_of ON deleted_media (volume_id, user_id, generation);
CREATE INDEX deleted_media_age ON deleted_media (generation, deleted);
DROP TRIGGER media_deleted;
DROP TRIGGER media_hidden;
-- What went into the trash before is told to who saw it before that.
CREATE TRIGGER media_deleted AFTER DELETE ON files
WHEN old.media_type IN (1, 3) AND NOT old.pending BEGIN
    INSERT INTO deleted_media
        (id, volume_id, user_id, dir, name, owner, media_type, trashed, birth, generation, deleted)
    SELECT old.id, old.volume_id, old.user_id, old.dir, old.name, old.owner, old.media_type, old.trashed, old.birth,
        value + 1, unixepoch() FROM meta WHERE key = 'generation'
    ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, deleted = excluded.deleted;
END;
CREATE TRIGGER media_hidden AFTER UPDATE OF media_type, pending, trashed ON files
WHEN old.media_type IN (1, 3) AND NOT old.pending AND NOT old.trashed
    AND NOT (new.media_type IN (1, 3) AND NOT new.pending AND NOT new.trashed) BEGIN
    INSERT OR REPLACE INTO deleted_media
        (id, volume_id, user_id, dir, name, owner, media_type, trashed, birth, generation, deleted)
    SELECT old.id, old.volume_id, old.user_id, old.dir, old.name, old.owner, old.media_type, 0, old.birth,
        value + 1, unixepoch() FROM meta WHERE key = 'generation';
END;
INSERT INTO meta (key, value) VALUES ('epoch', 0);
",
];
