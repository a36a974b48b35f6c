//! Grants on single files: the one thing about a file that neither the file nor the lower file system can tell.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OptionalExtension, params};

use super::reader::Readers;
use super::rows::run;
use super::tree::{plain, stored};
use super::write::Write;
use super::{Catalog, CatalogError, FileKey, VolumeKey, sql};

/// A grant to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGrant {
    /// Its number, larger than those of older ones.
    pub id: i64,
    /// The package that gets it, in one of its users.
    pub package: Arc<str>,
    /// The user.
    pub user: u32,
    /// What it allows: 0 selected, 1 read, 2 write.
    pub kind: u8,
    /// Where the file is.
    pub file: FileKey,
    /// The lower inode that must be there.
    pub ino: u64,
    /// The lower file's generation.
    pub birth: u64,
    /// When it ends, in seconds since 1970.
    pub expires: Option<i64>,
    /// When it was given, in seconds since 1970.
    pub created: i64,
    /// Grants that make room for it.
    pub gone: Vec<i64>,
}

/// A grant as it was stored, with the file as the index knows it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredGrant {
    /// Its number.
    pub id: i64,
    /// The package.
    pub package: Arc<str>,
    /// The user.
    pub user: u32,
    /// What it allows: 0 selected, 1 read, 2 write.
    pub kind: u8,
    /// When it ends, in seconds since 1970.
    pub expires: Option<i64>,
    /// The file's row.
    pub file: i64,
    /// The file's volume.
    pub volume: VolumeKey,
    /// The file's lower inode.
    pub ino: u64,
    /// The lower file's generation.
    pub birth: u64,
}

/// Where the file of a grant is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantPlace {
    /// The file.
    pub file: FileKey,
    /// When the grant was given, in seconds since 1970.
    pub created: i64,
}

/// Who hears of the numbers of grants that went.
pub type GrantsGone = Box<dyn Fn(&[i64]) + Send + Sync>;

/// Grants that went, in whatever way: by themselves, with the row of their file, or when the row became another file's.
/// They are told when that is committed.
///
/// Lock: `ids`, a leaf, held to note one.
#[derive(Default)]
pub(super) struct Departed {
    /// Of the transaction that is under way.
    ids: Mutex<Vec<i64>>,
    told: OnceLock<GrantsGone>,
}

impl std::fmt::Debug for Departed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Departed").field("ids", &self.ids).finish_non_exhaustive()
    }
}

impl Departed {
    /// Notes from now on what goes over this connection. Nothing of it is left in the file.
    pub(super) fn watch(self: &Arc<Self>, conn: &Connection) -> rusqlite::Result<()> {
        let departed = Arc::clone(self);
        conn.create_scalar_function("grant_is_gone", 1, FunctionFlags::SQLITE_UTF8, move |call| {
            departed.ids.lock().push(call.get(0)?);
            Ok(0)
        })?;
        // Of this connection alone. Foreign keys that cascade, and triggers of the schema, set it off as well.
        conn.execute_batch(
            "CREATE TEMP TRIGGER IF NOT EXISTS grants_gone AFTER DELETE ON main.grants BEGIN SELECT grant_is_gone(old.id); END",
        )
    }

    /// A transaction begins, maybe once more.
    pub(super) fn begin(&self) {
        self.ids.lock().clear();
    }

    /// It is committed.
    pub(super) fn tell(&self) {
        let ids = std::mem::take(&mut *self.ids.lock());
        if let Some(told) = self.told.get().filter(|_| !ids.is_empty()) {
            told(&ids);
        }
    }
}

impl Catalog {
    /// Has `told` called with the numbers of grants that went, once that is committed and before anybody who waits for it
    /// goes on; once. It runs on the thread that writes, so it must not wait for a write.
    pub fn on_grants_gone(&self, told: GrantsGone) {
        let _ = self.departed.told.set(told);
    }

    /// Stores a grant, committed on return: the id of the file's row, or `None` (and nothing is changed) if the index
    /// does not have this inode at this place.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn put_grant(&self, grant: NewGrant) -> Result<Option<i64>, CatalogError> {
        self.queue.call(Write::PutGrant(Box::new(grant))).map(|id| (id != 0).then_some(id))
    }

    /// Removes grants by number, committed on return.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn remove_grants(&self, ids: Vec<i64>) -> Result<(), CatalogError> {
        self.queue.call(Write::RemoveGrants(ids)).map(drop)
    }

    /// Queues: there are no grants of these numbers.
    pub fn drop_grants(&self, ids: Vec<i64>) {
        self.queue.post(Write::RemoveGrants(ids));
    }

    /// All grants, oldest first.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn grants(&self) -> Result<Vec<StoredGrant>, CatalogError> {
        self.readers.grants()
    }

    /// Where the file of grant `id` is; `None` if the grant is gone.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn grant_place(&self, id: i64) -> Result<Option<GrantPlace>, CatalogError> {
        self.readers.grant_place(id)
    }

    /// The id of the row at `key`, which it keeps for as long as the file is indexed.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn file_id(&self, key: &FileKey) -> Result<Option<i64>, CatalogError> {
        self.readers.file_id(key)
    }

    /// Name and kind of a volume, attached or not.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn volume_of(&self, volume: VolumeKey) -> Result<Option<(String, String)>, CatalogError> {
        self.readers.volume_of(volume)
    }
}

impl Readers {
    fn grants(&self) -> Result<Vec<StoredGrant>, CatalogError> {
        self.with(|conn| {
            let mut statement = conn.prepare_cached(sql::GRANTS_LIST)?;
            let rows = statement.query_map([], |row| {
                Ok(StoredGrant {
                    id: row.get(0)?,
                    package: Arc::from(row.get_ref(1)?.as_str()?),
                    user: row.get(2)?,
                    file: row.get(3)?,
                    kind: row.get(4)?,
                    birth: row.get::<_, i64>(5)?.cast_unsigned(),
                    expires: row.get(6)?,
                    volume: VolumeKey(row.get(7)?),
                    ino: row.get::<_, i64>(8)?.cast_unsigned(),
                })
            })?;
            rows.collect()
        })
    }

    fn grant_place(&self, id: i64) -> Result<Option<GrantPlace>, CatalogError> {
        self.with(|conn| {
            conn.prepare_cached(sql::GRANT_GET)?
                .query_row([id], |row| {
                    let file = FileKey {
                        volume: VolumeKey(row.get(0)?),
                        user: row.get(1)?,
                        dir: plain(row.get_ref(2)?.as_blob()?).to_vec(),
                        name: row.get(3)?,
                    };
                    Ok(GrantPlace { file, created: row.get(4)? })
                })
                .optional()
        })
    }

    fn file_id(&self, key: &FileKey) -> Result<Option<i64>, CatalogError> {
        self.with(|conn| {
            conn.prepare_cached(sql::FILE_FIND)?
                .query_row(params![key.volume.0, key.user, stored(&key.dir), key.name], |row| row.get(0))
                .optional()
        })
    }

    fn volume_of(&self, volume: VolumeKey) -> Result<Option<(String, String)>, CatalogError> {
        self.with(|conn| {
            conn.prepare_cached(sql::VOLUME_GET)?
                .query_row([volume.0], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        })
    }
}

pub(super) fn put(conn: &Connection, grant: &NewGrant) -> rusqlite::Result<i64> {
    let key = &grant.file;
    let found: Option<i64> = conn
        .prepare_cached(sql::FILE_FIND_INO)?
        .query_row(
            params![key.volume.0, key.user, stored(&key.dir), key.name, grant.ino.cast_signed()],
            |row| row.get(0),
        )
        .optional()?;
    let Some(file) = found else { return Ok(0) };
    remove(conn, &grant.gone)?;
    // What queries compare it with; if the row was of an earlier file, that one's grants go.
    run(conn, sql::FILE_SET_BIRTH, params![file, grant.birth.cast_signed()])?;
    let values = params![
        grant.id,
        grant.package,
        grant.user,
        file,
        grant.kind,
        grant.birth.cast_signed(),
        grant.expires,
        grant.created
    ];
    run(conn, sql::GRANT_PUT, values)?;
    Ok(file)
}

pub(super) fn remove(conn: &Connection, ids: &[i64]) -> rusqlite::Result<usize> {
    let mut statement = conn.prepare_cached(sql::GRANT_REMOVE)?;
    let mut removed = 0;
    for id in ids {
        removed += statement.execute([id])?;
    }
    Ok(removed)
}
