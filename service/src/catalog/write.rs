//! What can be written, and how each of it is done inside the writer's transaction.

use std::borrow::Cow;
use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::findings::{self, Finding};
use super::grants::{self, NewGrant};
use super::tree::{Range, plain, self_and_above, stored};
use super::{FileKey, FileRow, HidingRules, VolumeKey, sql};

/// One write. The number it yields is an id or a count of rows, as noted.
#[derive(Debug)]
pub(super) enum Write {
    Upsert(FileKey, FileRow),
    FirstSeen(FileKey, FileRow),
    /// Only if there is a row, of this lower inode.
    Refresh {
        key: FileKey,
        ino: u64,
        size: u64,
        mtime_ns: i64,
    },
    Remove(FileKey),
    /// Only if the row is still of this lower inode.
    RemoveGone(FileKey, u64),
    RemoveDir(VolumeKey, u32, Vec<u8>),
    RenameFile {
        from: FileKey,
        to: FileKey,
        mime: Cow<'static, str>,
        media_type: u8,
    },
    RenameDir {
        volume: VolumeKey,
        user: u32,
        from: Vec<u8>,
        to: Vec<u8>,
    },
    Hide(VolumeKey, u32, Vec<u8>),
    Show(VolumeKey, u32, Vec<u8>, HidingRules),
    /// Yields the number of files that lost their owner.
    Orphan(Box<str>),
    /// Without a record the package is removed, and its grants with it.
    Package(Box<str>, Option<Box<str>>),
    /// Yields the id of the file's row; 0 if there is no such file.
    PutGrant(Box<NewGrant>),
    RemoveGrants(Vec<i64>),
    PutFinding(VolumeKey, u64, Box<Finding>),
    /// Yields the volume's id.
    Volume {
        name: Box<str>,
        kind: Box<str>,
    },
    Reconciled(VolumeKey, bool),
}

impl Write {
    /// The volume whose index is wrong if this is lost and nobody is told.
    pub(super) fn volume(&self) -> Option<VolumeKey> {
        match self {
            Write::Upsert(key, _)
            | Write::FirstSeen(key, _)
            | Write::Refresh { key, .. }
            | Write::Remove(key)
            | Write::RemoveGone(key, _) => Some(key.volume),
            Write::RenameFile { from, .. } => Some(from.volume),
            Write::RemoveDir(volume, ..)
            | Write::RenameDir { volume, .. }
            | Write::Hide(volume, ..)
            | Write::Show(volume, ..)
            | Write::Reconciled(volume, _) => Some(*volume),
            Write::Orphan(_)
            | Write::Package(..)
            | Write::PutGrant(_)
            | Write::RemoveGrants(_)
            | Write::PutFinding(..)
            | Write::Volume { .. } => None,
        }
    }

    /// Does it. `generation` is what the rows of this transaction are stamped with.
    pub(super) fn apply(&self, conn: &Connection, generation: i64) -> rusqlite::Result<i64> {
        let changed = match self {
            Write::Upsert(key, row) => put(conn, sql::FILE_UPSERT, key, row, generation)?,
            Write::FirstSeen(key, row) => put(conn, sql::FILE_FIRST_SEEN, key, row, generation)?,
            Write::Refresh { key, ino, size, mtime_ns } => {
                let (ino, size) = (ino.cast_signed(), size.cast_signed());
                let values = params![
                    key.volume.0,
                    key.user,
                    stored(&key.dir),
                    key.name,
                    ino,
                    size,
                    mtime_ns,
                    generation
                ];
                run(conn, sql::FILE_REFRESH, values)?
            }
            Write::Remove(key) => remove(conn, key)?,
            Write::RemoveGone(key, ino) => {
                let ino = ino.cast_signed();
                let values = params![key.volume.0, key.user, stored(&key.dir), key.name, ino];
                run(conn, sql::FILE_REMOVE_GONE, values)?
            }
            Write::RemoveDir(volume, user, dir) => {
                let Range { low, high } = Range::of(dir);
                run(conn, sql::TREE_REMOVE, params![volume.0, user, low, high])?
            }
            Write::RenameFile { from, to, mime, media_type } => {
                if from != to {
                    remove(conn, to)?;
                }
                let values = params![
                    from.volume.0,
                    from.user,
                    stored(&from.dir),
                    from.name,
                    to.volume.0,
                    to.user,
                    stored(&to.dir),
                    to.name,
                    mime,
                    media_type,
                    generation
                ];
                run(conn, sql::FILE_MOVE, values)?
            }
            Write::RenameDir { volume, user, from, to } => {
                rename_dir(conn, *volume, *user, from, to, generation)?
            }
            Write::Hide(volume, user, dir) => {
                let Range { low, high } = Range::of(dir);
                run(conn, sql::TREE_HIDE, params![volume.0, user, low, high, generation])?
            }
            Write::Show(volume, user, dir, rules) => show(conn, *volume, *user, dir, *rules, generation)?,
            Write::Orphan(package) => run(conn, sql::OWNER_ORPHAN, params![package, generation])?,
            Write::Package(name, record) => {
                if record.is_none() {
                    run(conn, sql::GRANTS_REMOVE_OF, [name])?;
                }
                run(conn, sql::PACKAGE_SET, params![name, record])?
            }
            Write::PutGrant(grant) => return grants::put(conn, grant),
            Write::RemoveGrants(ids) => grants::remove(conn, ids)?,
            Write::PutFinding(volume, ino, finding) => findings::put(conn, *volume, *ino, finding)?,
            Write::Volume { name, kind } => return volume(conn, name, kind),
            Write::Reconciled(volume, done) => {
                run(conn, sql::VOLUME_SET_RECONCILED, params![volume.0, done])?
            }
        };
        Ok(i64::try_from(changed).unwrap_or(i64::MAX))
    }
}

pub(super) fn run(conn: &Connection, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<usize> {
    conn.prepare_cached(sql)?.execute(values)
}

fn put(
    conn: &Connection,
    sql: &str,
    key: &FileKey,
    row: &FileRow,
    generation: i64,
) -> rusqlite::Result<usize> {
    let values = params![
        key.volume.0,
        key.user,
        stored(&key.dir),
        key.name,
        row.owner.as_deref(),
        row.mime,
        row.media_type,
        row.pending,
        row.trashed,
        row.ino.cast_signed(),
        row.size.cast_signed(),
        row.mtime_ns,
        generation
    ];
    run(conn, sql, values)
}

fn remove(conn: &Connection, key: &FileKey) -> rusqlite::Result<usize> {
    run(conn, sql::FILE_REMOVE, params![key.volume.0, key.user, stored(&key.dir), key.name])
}

fn rename_dir(
    conn: &Connection,
    volume: VolumeKey,
    user: u32,
    from: &[u8],
    to: &[u8],
    generation: i64,
) -> rusqlite::Result<usize> {
    let (source, target) = (Range::of(from), Range::of(to));
    // No file system moves a directory into itself or over one that still holds it; and clearing the target first
    // would take the source with it.
    if source.overlaps(&target) {
        log::error!("catalog: a directory cannot be renamed into its own tree; the rows stay as they are");
        return Ok(0);
    }
    // What is still indexed there is stale: the lower file system only replaces an empty directory.
    run(conn, sql::TREE_REMOVE, params![volume.0, user, target.low, target.high])?;
    // substr counts from 1: this is the first byte behind the old prefix.
    let rest = i64::try_from(source.low.len()).unwrap_or(i64::MAX).saturating_add(1);
    let values = params![volume.0, user, source.low, source.high, target.low, rest, generation];
    run(conn, sql::TREE_MOVE, values)
}

fn show(
    conn: &Connection,
    volume: VolumeKey,
    user: u32,
    dir: &[u8],
    rules: HidingRules,
    generation: i64,
) -> rusqlite::Result<usize> {
    let Range { low, high } = Range::of(dir);
    let mut select = conn.prepare_cached(sql::TREE_TYPES)?;
    // Twice over the rows: what hides a tree may come behind the first files of it.
    let mut hidden: HashSet<Vec<u8>> = HashSet::new();
    let mut rows = select.query(params![volume.0, user, low, high])?;
    while let Some(row) = rows.next()? {
        let dir = row.get_ref(1)?.as_blob()?;
        if (rules.hides)(&path(dir, row.get_ref(2)?.as_blob()?)) {
            hidden.insert(dir.to_vec());
        }
    }
    drop(rows);
    // Collected first: a query must not run over rows that are being changed under it.
    let mut changes: Vec<(i64, u8)> = Vec::new();
    let mut rows = select.query(params![volume.0, user, low, high])?;
    while let Some(row) = rows.next()? {
        let dir = row.get_ref(1)?.as_blob()?;
        let right = if self_and_above(dir).any(|above| hidden.contains(above)) {
            0
        } else {
            (rules.media_type)(&path(dir, row.get_ref(2)?.as_blob()?), row.get_ref(3)?.as_str()?)
        };
        if row.get::<_, u8>(4)? != right {
            changes.push((row.get(0)?, right));
        }
    }
    let mut update = conn.prepare_cached(sql::FILE_SET_MEDIA_TYPE)?;
    for (id, media_type) in &changes {
        update.execute(params![id, media_type, generation])?;
    }
    Ok(changes.len())
}

/// A file's path from the stored form of its directory.
fn path(dir: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = plain(dir).to_vec();
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

fn volume(conn: &Connection, name: &str, kind: &str) -> rusqlite::Result<i64> {
    let known: Option<(i64, String)> = conn
        .prepare_cached(sql::VOLUME_FIND)?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match known {
        Some((id, old)) if old == kind => Ok(id),
        Some((id, _)) => {
            run(conn, sql::VOLUME_SET_KIND, params![id, kind])?;
            Ok(id)
        }
        None => {
            run(conn, sql::VOLUME_ADD, params![name, kind])?;
            Ok(conn.last_insert_rowid())
        }
    }
}
