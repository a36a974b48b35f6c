//! Changes to single rows, inside the writer's transaction.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::feed::{Change, ChangeKind, Log};
use super::functions::bucket_of;
use super::ids::Ids;
use super::reader::decode;
use super::tree::{Range, plain, stored};
use super::{FileKey, FileRow, Recorded, Renamed, StateChange, VolumeKey, sql};

/// Owners and media types of files.
pub(super) type Kinds = BTreeSet<(Option<Arc<str>>, u8)>;

/// So many kinds of files in one directory are told apart.
const MOST_KINDS: usize = 64;

/// One transaction of the writer.
pub(super) struct Tx<'a> {
    pub(super) conn: &'a Connection,
    /// What changed rows are stamped with.
    pub(super) generation: i64,
    /// Seconds since 1970.
    pub(super) now: i64,
    pub(super) ids: &'a Ids,
    /// What is told to listeners.
    pub(super) log: Log,
    /// So many rows were stamped.
    pub(super) stamped: Cell<usize>,
}

/// A row as it is, with all that a change needs.
pub(super) struct Present {
    pub(super) id: i64,
    pub(super) key: FileKey,
    pub(super) row: FileRow,
    pub(super) favorite: bool,
    pub(super) scanned: bool,
}

pub(super) fn run(conn: &Connection, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<usize> {
    conn.prepare_cached(sql)?.execute(values)
}

impl Tx<'_> {
    pub(super) fn run(&self, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<usize> {
        run(self.conn, sql, values)
    }

    /// Runs a statement that stamps the rows it changes.
    pub(super) fn stamp(&self, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<usize> {
        let changed = run(self.conn, sql, values)?;
        self.stamped.set(self.stamped.get() + changed);
        Ok(changed)
    }

    fn tell(&mut self, kind: ChangeKind, id: i64, key: &FileKey, media_type: u8, owner: Option<&Arc<str>>) {
        self.log.add(|| Change { kind, id, key: key.clone(), media_type, owner: owner.cloned() });
    }

    /// Tells that anything may have changed below a directory to files of these kinds.
    pub(super) fn tell_below(&mut self, volume: VolumeKey, user: u32, dir: &[u8], kinds: &Kinds) {
        if kinds.len() > MOST_KINDS {
            return self.log.many(Some((volume, user)));
        }
        let key = || FileKey { volume, user, dir: dir.to_vec(), name: Vec::new() };
        for (owner, media_type) in kinds {
            let (owner, media_type) = (owner.clone(), *media_type);
            self.log.add(|| Change { kind: ChangeKind::Below, id: 0, key: key(), media_type, owner });
        }
    }

    /// Of which kinds the files of a tree are, if somebody is to be told: who could not see any of them is not to hear of
    /// them.
    pub(super) fn kinds(&self, volume: VolumeKey, user: u32, tree: &Range) -> rusqlite::Result<Kinds> {
        let mut kinds = Kinds::new();
        if !self.log.is_wanted() {
            return Ok(kinds);
        }
        let mut select = self.conn.prepare_cached(sql::TREE_KINDS)?;
        let mut rows = select.query(params![volume.0, user, tree.low, tree.high])?;
        while let Some(row) = rows.next()?
            && kinds.len() <= MOST_KINDS
        {
            let (owner, media_type) = (row.get_ref(0)?.as_str_or_null()?, row.get(1)?);
            if !kinds.iter().any(|(known, of)| known.as_deref() == owner && *of == media_type) {
                kinds.insert((owner.map(Arc::from), media_type));
            }
        }
        Ok(kinds)
    }

    /// Id and row at `key`.
    pub(super) fn look(&self, key: &FileKey) -> rusqlite::Result<Option<(i64, FileRow)>> {
        self.conn
            .prepare_cached(sql::FILE_GET)?
            .query_row(params![key.volume.0, key.user, stored(&key.dir), key.name], |row| {
                Ok((row.get(10)?, decode(row, 0, &mut None)?))
            })
            .optional()
    }

    pub(super) fn present(&self, id: i64) -> rusqlite::Result<Option<Present>> {
        self.conn
            .prepare_cached(sql::FILE_STATE)?
            .query_row([id], |row| {
                let key = FileKey {
                    volume: VolumeKey(row.get(10)?),
                    user: row.get(11)?,
                    dir: plain(row.get_ref(12)?.as_blob()?).to_vec(),
                    name: row.get(13)?,
                };
                let (favorite, scanned) = (row.get(14)?, row.get(15)?);
                Ok(Present { id, key, row: decode(row, 0, &mut None)?, favorite, scanned })
            })
            .optional()
    }

    /// The row at `key` becomes `row`; its id. A row that already says all this is not written again and keeps its
    /// generation.
    pub(super) fn upsert(
        &mut self,
        key: &FileKey,
        row: &FileRow,
        recorded: &Recorded,
    ) -> rusqlite::Result<i64> {
        match self.look(key)? {
            None => self.insert(key, row, recorded),
            Some((id, old)) => self.update(id, key, &old, row).map(|_| id),
        }
    }

    /// The row at `key` becomes `row` unless there is one; the id of the one there is.
    pub(super) fn first_seen(
        &mut self,
        key: &FileKey,
        row: &FileRow,
        recorded: &Recorded,
    ) -> rusqlite::Result<i64> {
        match self.look(key)? {
            None => self.insert(key, row, recorded),
            Some((id, _)) => Ok(id),
        }
    }

    fn insert(&mut self, key: &FileKey, row: &FileRow, recorded: &Recorded) -> rusqlite::Result<i64> {
        let id = match recorded.id.filter(|id| *id > 0 && *id < i64::MAX) {
            // Not that of a file that was copied along with its attributes.
            Some(id) if !self.conn.prepare_cached(sql::FILE_EXISTS)?.exists([id])? => {
                self.ids.raise(id + 1);
                id
            }
            _ => self.ids.draw(),
        };
        let dir = stored(&key.dir);
        let bucket = bucket_of(key.volume.0, key.user, &dir);
        let values = params![
            id,
            key.volume.0,
            key.user,
            dir,
            key.name,
            row.owner.as_deref(),
            row.mime,
            row.media_type,
            row.pending,
            row.trashed,
            row.expires,
            row.ino.cast_signed(),
            row.birth.cast_signed(),
            row.size.cast_signed(),
            row.mtime_ns,
            recorded.favorite,
            recorded.added.unwrap_or(self.now),
            bucket,
            self.generation
        ];
        self.stamp(sql::FILE_INSERT, values)?;
        self.tell(ChangeKind::Added, id, key, row.media_type, row.owner.as_ref());
        Ok(id)
    }

    /// Writes what differs; true if anything did.
    pub(super) fn update(
        &mut self,
        id: i64,
        key: &FileKey,
        old: &FileRow,
        new: &FileRow,
    ) -> rusqlite::Result<bool> {
        let same_inode = old.ino == new.ino;
        // Who does not know the generation does not say that it is another file.
        let birth = if new.birth == 0 && same_inode { old.birth } else { new.birth };
        if *old == (FileRow { birth, ..new.clone() }) {
            return Ok(false);
        }
        let same_file = same_inode && (old.birth == birth || old.birth == 0);
        let same_version = same_file && (old.size, old.mtime_ns) == (new.size, new.mtime_ns);
        let (size, mtime_ns) = (new.size.cast_signed(), new.mtime_ns);
        // Every index of a column that is set is written anew, whatever the column had before.
        if *old == (FileRow { birth, size: old.size, mtime_ns: old.mtime_ns, ..new.clone() }) {
            self.stamp(sql::FILE_REFRESH, params![id, size, mtime_ns, self.generation])?;
        } else {
            let values = params![
                id,
                new.owner.as_deref(),
                new.mime,
                new.media_type,
                new.pending,
                new.trashed,
                new.expires,
                new.ino.cast_signed(),
                birth.cast_signed(),
                size,
                mtime_ns,
                same_version,
                self.generation
            ];
            self.stamp(sql::FILE_UPDATE, values)?;
        }
        if !same_file {
            self.run(sql::FILE_REPLACED, [id])?;
            self.run(sql::FACTS_REMOVE, [id])?;
            self.run(sql::LOCATION_REMOVE, [id])?;
        }
        self.tell(ChangeKind::Changed, id, key, new.media_type, new.owner.as_ref());
        Ok(true)
    }

    /// The row at `key` becomes `row` if it is of the same file.
    pub(super) fn mend(&mut self, key: &FileKey, row: &FileRow) -> rusqlite::Result<bool> {
        match self.look(key)?.filter(|(_, old)| old.is_of(row.ino, row.birth)) {
            None => Ok(false),
            Some((id, old)) => self.update(id, key, &old, row),
        }
    }

    /// The file (inode and birth) at `key` has this size and modification time.
    pub(super) fn refresh(
        &mut self,
        key: &FileKey,
        (ino, birth): (u64, u64),
        size: u64,
        mtime_ns: i64,
    ) -> rusqlite::Result<bool> {
        match self.look(key)?.filter(|(_, old)| old.is_of(ino, birth)) {
            None => Ok(false),
            Some((id, old)) => {
                let new = FileRow { size, mtime_ns, ..old.clone() };
                self.update(id, key, &old, &new)
            }
        }
    }

    /// Removes the row at `key`, if it is of this file (inode and birth) where one is given.
    pub(super) fn remove(&mut self, key: &FileKey, file: Option<(u64, u64)>) -> rusqlite::Result<bool> {
        match self.look(key)?.filter(|(_, row)| file.is_none_or(|(ino, birth)| row.is_of(ino, birth))) {
            None => Ok(false),
            Some((id, row)) => self.remove_found(id, key, &row),
        }
    }

    pub(super) fn remove_found(&mut self, id: i64, key: &FileKey, row: &FileRow) -> rusqlite::Result<bool> {
        let removed = self.stamp(sql::FILE_REMOVE, [id])? > 0;
        if removed {
            self.tell(ChangeKind::Removed, id, key, row.media_type, row.owner.as_ref());
        }
        Ok(removed)
    }

    /// Moves a row in place of what is at `to`.
    pub(super) fn rename(
        &mut self,
        id: i64,
        from: &FileKey,
        row: &FileRow,
        to: &FileKey,
        renamed: &Renamed,
    ) -> rusqlite::Result<()> {
        if from != to {
            self.remove(to, None)?;
        }
        let dir = stored(&to.dir);
        let bucket = bucket_of(to.volume.0, to.user, &dir);
        // Every index of a column that is set is written anew, whatever the column had before.
        let stays = (to.volume, to.user) == (from.volume, from.user) && *renamed == Renamed::as_in(row);
        if stays {
            self.stamp(sql::FILE_RENAME, params![id, dir, to.name, bucket, self.generation])?;
        } else {
            let values = params![
                id,
                to.volume.0,
                to.user,
                dir,
                to.name,
                renamed.mime,
                renamed.media_type,
                renamed.pending,
                renamed.trashed,
                renamed.expires,
                bucket,
                self.generation
            ];
            self.stamp(sql::FILE_MOVE, values)?;
        }
        let owner = row.owner.as_ref();
        if from != to {
            self.tell(ChangeKind::MovedAway, id, from, renamed.media_type, owner);
        }
        self.tell(ChangeKind::Changed, id, to, renamed.media_type, owner);
        Ok(())
    }

    /// Changes what is not so already; true if anything was.
    pub(super) fn set_state(&mut self, id: i64, change: &StateChange) -> rusqlite::Result<bool> {
        let Some(Present { key, row: old, favorite: was, .. }) = self.present(id)? else { return Ok(false) };
        let favorite = change.favorite.unwrap_or(was);
        let new = FileRow {
            pending: change.pending.unwrap_or(old.pending),
            trashed: change.trashed.unwrap_or(old.trashed),
            expires: change.expires.unwrap_or(old.expires),
            owner: change.owner.clone().unwrap_or_else(|| old.owner.clone()),
            ..old.clone()
        };
        if favorite == was && new == old {
            return Ok(false);
        }
        let owner = new.owner.as_deref();
        let values = params![id, favorite, new.pending, new.trashed, new.expires, owner, self.generation];
        self.stamp(sql::FILE_SET_STATE, values)?;
        self.tell(ChangeKind::Changed, id, &key, new.media_type, new.owner.as_ref());
        Ok(true)
    }

    /// Tells of a change that was made to a row.
    pub(super) fn tell_changed(&mut self, present: &Present) {
        self.tell(
            ChangeKind::Changed,
            present.id,
            &present.key,
            present.row.media_type,
            present.row.owner.as_ref(),
        );
    }
}
