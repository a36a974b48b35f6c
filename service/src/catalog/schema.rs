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
//! * A grant hangs on the row of a file, which keeps its id when the file is renamed. It goes with the row, and when
//!   the row becomes that of another file (`grants_replaced`); `birth` tells that file from a later one with its inode
//!   number, after the index was mended while nobody watched.
//! * A finding hangs on a lower inode, not on a row of `files`: it is stored for indexed files only, though, and goes
//!   when the row does. That takes a finding away too early at worst, as when the inode number is another file's by then.

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
];
