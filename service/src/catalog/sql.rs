//! Every statement the catalog issues, so that a test can ask SQLite how it will run each of them.
//!
//! A tree is always the range `dir >= low AND dir < high` (see `schema`), never a pattern: `%` and `_` are
//! ordinary characters of a name.

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* pub(super) const $name: &str = $sql;)+

        /// All of them, by name.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}

statements! {
    META_GET = "SELECT value FROM meta WHERE key = ?1";
    META_SET = "UPDATE meta SET value = ?2 WHERE key = ?1";

    VOLUME_FIND = "SELECT id, kind FROM volumes WHERE name = ?1";
    VOLUME_ADD = "INSERT INTO volumes (name, kind, reconciled) VALUES (?1, ?2, 0)";
    VOLUME_SET_KIND = "UPDATE volumes SET kind = ?2, reconciled = 0 WHERE id = ?1";
    VOLUME_GET_RECONCILED = "SELECT reconciled FROM volumes WHERE id = ?1";
    VOLUME_SET_RECONCILED = "UPDATE volumes SET reconciled = ?2 WHERE id = ?1";
    VOLUMES_SET_UNRECONCILED = "UPDATE volumes SET reconciled = 0";

    FILE_GET = "SELECT owner, mime, media_type, pending, trashed, ino, size, mtime_ns
        FROM files INDEXED BY files_listing
        WHERE volume_id = ?1 AND user_id = ?2 AND dir = ?3 AND name = ?4";
    DIR_LIST = "SELECT name, owner, mime, media_type, pending, trashed, ino, size, mtime_ns
        FROM files INDEXED BY files_listing
        WHERE volume_id = ?1 AND user_id = ?2 AND dir = ?3";
    /// One page of a directory, from behind a name.
    DIR_PAGE = "SELECT name, owner, mime, media_type, pending, trashed, ino, size, mtime_ns
        FROM files INDEXED BY files_listing
        WHERE volume_id = ?1 AND user_id = ?2 AND dir = ?3 AND name > ?4 ORDER BY name LIMIT ?5";
    /// The next directory of a tree that has rows.
    DIR_NEXT = "SELECT dir FROM files INDEXED BY files_listing
        WHERE volume_id = ?1 AND user_id = ?2 AND dir >= ?3 AND dir < ?4 ORDER BY dir LIMIT 1";
    /// One page of a tree, from behind the place (`?3`, `?4`).
    TREE_PAGE = "SELECT dir, name, owner, mime, media_type, pending, trashed, ino, size, mtime_ns
        FROM files INDEXED BY files_listing
        WHERE volume_id = ?1 AND user_id = ?2 AND (dir, name) > (?3, ?4) AND dir < ?5
        ORDER BY dir, name LIMIT ?6";
    TREE_TYPES = "SELECT id, dir, name, mime, media_type FROM files INDEXED BY files_listing
        WHERE volume_id = ?1 AND user_id = ?2 AND dir >= ?3 AND dir < ?4";
    FILES_COUNT = "SELECT count(*) FROM files WHERE volume_id = ?1";

    /// A row that already says all this is not written again and keeps its generation.
    FILE_UPSERT = "INSERT INTO files (volume_id, user_id, dir, name, owner, mime, media_type, pending, trashed,
            ino, size, mtime_ns, generation_added, generation_modified)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13)
        ON CONFLICT (volume_id, user_id, dir, name) DO UPDATE SET
            owner = excluded.owner, mime = excluded.mime, media_type = excluded.media_type,
            pending = excluded.pending, trashed = excluded.trashed, ino = excluded.ino, size = excluded.size,
            mtime_ns = excluded.mtime_ns, generation_modified = excluded.generation_modified
        WHERE (files.owner, files.mime, files.media_type, files.pending, files.trashed, files.ino, files.size,
                files.mtime_ns)
            IS NOT (excluded.owner, excluded.mime, excluded.media_type, excluded.pending, excluded.trashed,
                excluded.ino, excluded.size, excluded.mtime_ns)";
    FILE_FIRST_SEEN = "INSERT INTO files (volume_id, user_id, dir, name, owner, mime, media_type, pending, trashed,
            ino, size, mtime_ns, generation_added, generation_modified)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13)
        ON CONFLICT (volume_id, user_id, dir, name) DO NOTHING";
    FILE_REFRESH = "UPDATE files SET size = ?6, mtime_ns = ?7, generation_modified = ?8
        WHERE volume_id = ?1 AND user_id = ?2 AND dir = ?3 AND name = ?4 AND ino = ?5
            AND (size, mtime_ns) IS NOT (?6, ?7)";
    FILE_REMOVE = "DELETE FROM files WHERE volume_id = ?1 AND user_id = ?2 AND dir = ?3 AND name = ?4";
    FILE_REMOVE_GONE =
        "DELETE FROM files WHERE volume_id = ?1 AND user_id = ?2 AND dir = ?3 AND name = ?4 AND ino = ?5";
    FILE_MOVE = "UPDATE files SET volume_id = ?5, user_id = ?6, dir = ?7, name = ?8, mime = ?9, media_type = ?10,
            generation_modified = ?11
        WHERE volume_id = ?1 AND user_id = ?2 AND dir = ?3 AND name = ?4";
    FILE_SET_MEDIA_TYPE = "UPDATE files SET media_type = ?2, generation_modified = ?3 WHERE id = ?1";

    TREE_REMOVE = "DELETE FROM files WHERE volume_id = ?1 AND user_id = ?2 AND dir >= ?3 AND dir < ?4";
    /// `||` makes text of whatever it is given; the cast makes it bytes again, unchanged.
    TREE_MOVE = "UPDATE files SET dir = CAST(?5 || substr(dir, ?6) AS BLOB), generation_modified = ?7
        WHERE volume_id = ?1 AND user_id = ?2 AND dir >= ?3 AND dir < ?4";
    TREE_HIDE = "UPDATE files SET media_type = 0, generation_modified = ?5
        WHERE volume_id = ?1 AND user_id = ?2 AND dir >= ?3 AND dir < ?4 AND media_type <> 0";

    OWNER_ORPHAN = "UPDATE files SET owner = NULL, generation_modified = ?2 WHERE owner = ?1";

    PACKAGE_SET = "INSERT INTO packages (name, record) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET record = excluded.record";
    PACKAGES_LIST = "SELECT name, record FROM packages ORDER BY name";

    FILE_FIND = "SELECT id FROM files INDEXED BY files_path
        WHERE volume_id = ?1 AND user_id = ?2 AND dir = ?3 AND name = ?4";
    FILE_FIND_INO = "SELECT id FROM files INDEXED BY files_listing
        WHERE volume_id = ?1 AND user_id = ?2 AND dir = ?3 AND name = ?4 AND ino = ?5";
    GRANT_PUT = "INSERT OR REPLACE INTO grants (id, package, user_id, file_id, kind, birth, expires, created)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    GRANT_REMOVE = "DELETE FROM grants WHERE id = ?1";
    GRANTS_REMOVE_OF = "DELETE FROM grants WHERE package = ?1";
    GRANT_GET = "SELECT files.volume_id, files.user_id, files.dir, files.name, grants.created
        FROM grants JOIN files ON files.id = grants.file_id WHERE grants.id = ?1";
    /// Runs once at the start: over all grants, and for each one to its file.
    GRANTS_LIST = "SELECT grants.id, package, grants.user_id, file_id, kind, birth, expires, volume_id, ino
        FROM grants CROSS JOIN files ON files.id = grants.file_id ORDER BY grants.id";
    VOLUME_GET = "SELECT name, kind FROM volumes WHERE id = ?1";
}
