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
    /// Positive, and never 0 in practice.
    RANDOM = "SELECT random() & 0x7fffffffffffffff";
    META_GET = "SELECT value FROM meta WHERE key = ?1";
    META_SET = "UPDATE meta SET value = ?2 WHERE key = ?1";
    META_RAISE = "UPDATE meta SET value = max(value, ?2) WHERE key = ?1";

    /// By name alone: the one without a marker, or else the one that was there last.
    VOLUME_FIND = "SELECT id, kind FROM volumes WHERE name = ?1
        ORDER BY marker IS NOT NULL, seen DESC, id DESC LIMIT 1";
    VOLUME_FIND_MARKED = "SELECT id, kind FROM volumes WHERE name = ?1 AND coalesce(marker, '') = ?2";
    VOLUME_ADD = "INSERT INTO volumes (name, kind, marker, seen, reconciled) VALUES (?1, ?2, ?3, ?4, 0)";
    VOLUME_SEEN = "UPDATE volumes SET marker = coalesce(marker, ?2), seen = ?3 WHERE id = ?1";
    VOLUME_GET_MARKED = "SELECT marked FROM volumes WHERE id = ?1";
    VOLUME_SET_MARKED = "UPDATE volumes SET marked = ?2 WHERE id = ?1";
    VOLUME_REMOVE = "DELETE FROM volumes WHERE id = ?1";
    VOLUMES_LIST = "SELECT id, name, kind, marker, seen FROM volumes ORDER BY id";
    VOLUME_SET_KIND = "UPDATE volumes SET kind = ?2, reconciled = 0 WHERE id = ?1";
    VOLUME_GET_RECONCILED = "SELECT reconciled FROM volumes WHERE id = ?1";
    VOLUME_SET_RECONCILED = "UPDATE volumes SET reconciled = ?2 WHERE id = ?1";
    VOLUMES_SET_UNRECONCILED = "UPDATE volumes SET reconciled = 0";

    FILE_GET = "SELECT owner, mime, media_type, pending, trashed, expires, ino, birth, size, mtime_ns, id
        FROM files INDEXED BY files_listing
        WHERE volume_id = ?1 AND user_id = ?2 AND dir = ?3 AND name = ?4";
    DIR_LIST = "SELECT name, owner, mime, media_type, pending, trashed, expires, ino, birth, size, mtime_ns
        FROM files INDEXED BY files_listing
        WHERE volume_id = ?1 AND user_id = ?2 AND dir = ?3";
    DIR_OWNERS = "SELECT name, owner, ino, birth
        FROM files INDEXED BY files_listing
        WHERE volume_id = ?1 AND user_id = ?2 AND dir = ?3";
    /// One page of a directory, from behind a name.
    DIR_PAGE = "SELECT name, owner, mime, media_type, pending, trashed, expires, ino, birth, size, mtime_ns
        FROM files INDEXED BY files_listing
        WHERE volume_id = ?1 AND user_id = ?2 AND dir = ?3 AND name > ?4 ORDER BY name LIMIT ?5";
    /// The next directory of a tree that has rows.
    DIR_NEXT = "SELECT dir FROM files INDEXED BY files_listing
        WHERE volume_id = ?1 AND user_id = ?2 AND dir >= ?3 AND dir < ?4 ORDER BY dir LIMIT 1";
    /// What belongs to who asks: by owner, by grant, by place.
    OWN_OWNED = "SELECT id FROM files INDEXED BY files_owner WHERE owner = ?1 LIMIT ?2";
    OWN_GRANTED = "SELECT file_id FROM grants WHERE package = ?1 AND user_id = ?2 LIMIT ?3";
    OWN_BELOW = "SELECT id FROM files INDEXED BY files_path
        WHERE volume_id = ?1 AND user_id = ?2 AND dir >= ?3 AND dir < ?4 LIMIT ?5";
    /// As files may stand where directories should: the next one.
    OWN_NAMED = "SELECT name, id FROM files INDEXED BY files_path
        WHERE volume_id = ?1 AND user_id = ?2 AND dir = ?3 AND name >= ?4 ORDER BY name LIMIT 1";
    /// One page of a tree, from behind the place (`?3`, `?4`).
    TREE_PAGE = "SELECT dir, name, owner, mime, media_type, pending, trashed, expires, ino, birth, size, mtime_ns
        FROM files INDEXED BY files_listing
        WHERE volume_id = ?1 AND user_id = ?2 AND (dir, name) > (?3, ?4) AND dir < ?5
        ORDER BY dir, name LIMIT ?6";
    TREE_KINDS = "SELECT owner, media_type FROM files INDEXED BY files_listing
        WHERE volume_id = ?1 AND user_id = ?2 AND dir >= ?3 AND dir < ?4";
    TREE_TYPES = "SELECT id, dir, name, mime, media_type FROM files INDEXED BY files_listing
        WHERE volume_id = ?1 AND user_id = ?2 AND dir >= ?3 AND dir < ?4";
    /// SQLite notes the largest id that was ever in the table.
    FILES_LAST_ID = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'files'";
    FILES_COUNT = "SELECT count(*) FROM files WHERE volume_id = ?1";

    FILE_EXISTS = "SELECT 1 FROM files WHERE id = ?1";
    /// What a change by id starts from.
    FILE_STATE = "SELECT owner, mime, media_type, pending, trashed, expires, ino, birth, size, mtime_ns,
            volume_id, user_id, dir, name, favorite, scanned
        FROM files WHERE id = ?1";
    FILE_INSERT = "INSERT INTO files (id, volume_id, user_id, dir, name, owner, mime, media_type, pending, trashed,
            expires, ino, birth, size, mtime_ns, favorite, added, bucket, generation_added, generation_modified)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?19)";
    FILE_UPDATE = "UPDATE files SET owner = ?2, mime = ?3, media_type = ?4, pending = ?5, trashed = ?6, expires = ?7,
            ino = ?8, birth = ?9, size = ?10, mtime_ns = ?11, scanned = scanned AND ?12, generation_modified = ?13
        WHERE id = ?1";
    /// Another version of the same file: nothing else is another.
    FILE_REFRESH = "UPDATE files SET size = ?2, mtime_ns = ?3, scanned = 0, generation_modified = ?4 WHERE id = ?1";
    /// What a row keeps of the file it was about goes when it becomes another one's.
    FILE_REPLACED = "UPDATE files SET favorite = 0, taken = NULL, title = NULL, scanned = 0 WHERE id = ?1";
    FILE_REMOVE = "DELETE FROM files WHERE id = ?1";
    FILE_MOVE = "UPDATE files SET volume_id = ?2, user_id = ?3, dir = ?4, name = ?5, mime = ?6, media_type = ?7,
            pending = ?8, trashed = ?9, expires = ?10, bucket = ?11, scanned = scanned AND mime = ?6,
            generation_modified = ?12
        WHERE id = ?1";
    /// Another name for a file that stays what it is, with its user and volume.
    FILE_RENAME = "UPDATE files SET dir = ?2, name = ?3, bucket = ?4, generation_modified = ?5 WHERE id = ?1";
    FILE_SET_STATE = "UPDATE files SET favorite = ?2, pending = ?3, trashed = ?4, expires = ?5, owner = ?6,
            generation_modified = ?7
        WHERE id = ?1";
    FILE_SET_FACTS = "UPDATE files SET mime = ?2, taken = ?3, title = ?4, generation_modified = ?5 WHERE id = ?1";
    FILE_SCANNED = "UPDATE files SET scanned = 1 WHERE id = ?1";
    FILE_SET_BIRTH = "UPDATE files SET birth = ?2 WHERE id = ?1 AND birth <> ?2";
    FILE_SET_MEDIA_TYPE = "UPDATE files SET media_type = ?2, generation_modified = ?3 WHERE id = ?1";

    TREE_REMOVE = "DELETE FROM files WHERE volume_id = ?1 AND user_id = ?2 AND dir >= ?3 AND dir < ?4";
    /// `||` makes text of whatever it is given; the cast makes it bytes again, unchanged.
    TREE_MOVE = "UPDATE files SET dir = CAST(?5 || substr(dir, ?6) AS BLOB),
            bucket = bucket_of(?1, ?2, CAST(?5 || substr(dir, ?6) AS BLOB)), generation_modified = ?7
        WHERE volume_id = ?1 AND user_id = ?2 AND dir >= ?3 AND dir < ?4";
    TREE_HIDE = "UPDATE files SET media_type = 0, generation_modified = ?5
        WHERE volume_id = ?1 AND user_id = ?2 AND dir >= ?3 AND dir < ?4 AND media_type <> 0";


    DEPART = "INSERT OR IGNORE INTO departures (volume_id, package, user_id) SELECT id, ?1, ?2 FROM volumes";
    DEPARTED = "DELETE FROM departures WHERE volume_id = ?1 AND package = ?2 AND user_id = ?3";
    DEPARTURES_LIST = "SELECT volume_id, package, user_id FROM departures ORDER BY volume_id, package, user_id";
    DISOWN = "UPDATE files SET owner = ?3, generation_modified = ?4 WHERE id = ?1 AND owner = ?2";
    /// Stops counting at the bound.
    OWNED_COUNT = "SELECT count(*) FROM
        (SELECT 1 FROM files INDEXED BY files_owner WHERE owner = ?1 LIMIT ?2)";
    OWNER_NEXT = "SELECT owner FROM files INDEXED BY files_owner WHERE owner > ?1 ORDER BY owner LIMIT 1";
    USER_NEXT = "SELECT user_id FROM files INDEXED BY files_path
        WHERE volume_id = ?1 AND user_id > ?2 ORDER BY user_id LIMIT 1";

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
    GRANTS_LIST = "SELECT grants.id, package, grants.user_id, file_id, kind, grants.birth, grants.expires,
            volume_id, ino
        FROM grants CROSS JOIN files ON files.id = grants.file_id ORDER BY grants.id";

    FINDING_GET = "SELECT birth, size, mtime_ns, ctime_ns, version, hidden FROM findings
        WHERE volume_id = ?1 AND ino = ?2";
    FINDING_PUT = "INSERT OR REPLACE INTO findings
            (volume_id, ino, birth, size, mtime_ns, ctime_ns, version, hidden)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

    LINK_PUT = "INSERT OR IGNORE INTO links (file_id, name, birth) VALUES (?1, ?2, ?3)";
    LINK_REMOVE_OTHER = "DELETE FROM links WHERE file_id = ?1 AND birth <> ?2";
    LINK_OF = "SELECT name FROM links WHERE file_id = ?1";
    LINK_GET = "SELECT volume_id, user_id, dir, files.name, ino, links.birth
        FROM links JOIN files ON files.id = links.file_id WHERE links.name = ?1";
    LINK_READER = "SELECT 1 FROM files INDEXED BY files_listing
        CROSS JOIN links ON links.file_id = files.id
        CROSS JOIN link_readers ON link_readers.file_id = files.id
        WHERE volume_id = ?1 AND files.user_id = ?2 AND dir = ?3 AND files.name = ?4 AND ino = ?5
            AND links.birth = ?6 AND package = ?7 AND link_readers.user_id = ?8";
    LINK_READER_PUT = "INSERT OR IGNORE INTO link_readers (file_id, package, user_id) VALUES (?1, ?2, ?3)";
    LINK_READERS = "SELECT DISTINCT package, user_id FROM link_readers INDEXED BY link_readers_of";
    LINK_READER_REMOVE = "DELETE FROM link_readers WHERE package = ?1 AND user_id = ?2";
    LINK_READERS_REMOVE_OF = "DELETE FROM link_readers WHERE package = ?1";

    VOLUME_GET = "SELECT name, kind FROM volumes WHERE id = ?1";

    FACTS_PUT = "INSERT OR REPLACE INTO media (id, mime, width, height, orientation, duration_ms, bitrate,
            has_audio, artist, album, album_artist, composer, genre, track, disc, tracks, year, compilation,
            sample_rate, bits_per_sample, has_album_art,
            has_video, codec, frame_rate_milli, color_standard, color_transfer, color_range,
            has_image, exposure_time, f_number, iso, scene_capture_type, description, special_format,
            has_xmp, document_id, instance_id, original_document)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
            ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38)";
    FACTS_GET = "SELECT media.mime, width, height, orientation, duration_ms, bitrate,
            has_audio, artist, album, album_artist, composer, genre, track, disc, tracks, year, compilation,
            sample_rate, bits_per_sample, has_album_art,
            has_video, codec, frame_rate_milli, color_standard, color_transfer, color_range,
            has_image, exposure_time, f_number, iso, scene_capture_type, description, special_format,
            has_xmp, document_id, instance_id, original_document, title, taken
        FROM media JOIN files ON files.id = media.id WHERE media.id = ?1";
    FACTS_REMOVE = "DELETE FROM media WHERE id = ?1";
    LOCATION_GET = "SELECT latitude_e7, longitude_e7 FROM locations WHERE id = ?1";
    LOCATION_PUT = "INSERT OR REPLACE INTO locations (id, latitude_e7, longitude_e7) VALUES (?1, ?2, ?3)";
    LOCATION_REMOVE = "DELETE FROM locations WHERE id = ?1";

    VOLUME_ROWS_REMOVE = "DELETE FROM files WHERE id IN
        (SELECT id FROM files INDEXED BY files_path WHERE volume_id = ?1 LIMIT ?2)";
    USER_ROWS_REMOVE = "DELETE FROM files WHERE id IN
        (SELECT id FROM files INDEXED BY files_path WHERE volume_id = ?1 AND user_id = ?2 LIMIT ?3)";
    TOMBSTONES_REMOVE_OF = "DELETE FROM deleted_media WHERE volume_id = ?1";
    /// The newest generation of those that are too old, or too many.
    TOMBSTONES_BEFORE = "SELECT max(generation) FROM deleted_media WHERE deleted < ?1";
    TOMBSTONES_BEYOND = "SELECT generation FROM deleted_media ORDER BY generation DESC LIMIT 1 OFFSET ?1";
    TOMBSTONES_PRUNE = "DELETE FROM deleted_media WHERE generation <= ?1";

    FILE_ENTRY = "SELECT id, volume_id, user_id, dir, name,
            owner, mime, media_type, pending, trashed, expires, ino, birth, size, mtime_ns,
            favorite, added, taken, title, bucket, generation_added, generation_modified
        FROM files WHERE id = ?1";
    FILES_UNSCANNED = "SELECT id, volume_id, user_id, dir, name,
            owner, mime, media_type, pending, trashed, expires, ino, birth, size, mtime_ns,
            favorite, added, taken, title, bucket, generation_added, generation_modified
        FROM files INDEXED BY files_unscanned
        WHERE volume_id = ?1 AND scanned = 0 AND media_type BETWEEN 1 AND 4 AND id > ?2 ORDER BY id LIMIT ?3";
    /// The unary plus keeps the list from being joined first.
    FILES_EXPIRED = "SELECT id, volume_id, user_id, dir, name,
            owner, mime, media_type, pending, trashed, expires, ino, birth, size, mtime_ns,
            favorite, added, taken, title, bucket, generation_added, generation_modified
        FROM files INDEXED BY files_expires
        WHERE expires <= ?1 AND +volume_id IN (SELECT value FROM json_each(?2)) ORDER BY expires, id LIMIT ?3";
    FILES_CHANGED = "SELECT id, volume_id, user_id, dir, name,
            owner, mime, media_type, pending, trashed, expires, ino, birth, size, mtime_ns,
            favorite, added, taken, title, bucket, generation_added, generation_modified
        FROM files INDEXED BY files_generation
        WHERE volume_id = ?1 AND user_id = ?2 AND (generation_modified, id) > (?3, ?4)
        ORDER BY generation_modified, id LIMIT ?5";
    FILES_OWNED = "SELECT id, volume_id, user_id, dir, name,
            owner, mime, media_type, pending, trashed, expires, ino, birth, size, mtime_ns,
            favorite, added, taken, title, bucket, generation_added, generation_modified
        FROM files INDEXED BY files_owner WHERE owner = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    BUCKET_DIR = "SELECT dir FROM files WHERE id = ?1";
}
