//! Links: names that a file's redacted view has for who is not to see its location, and to whom they were given. They
//! belong to the row of an indexed file: a rename keeps them, and they go when the file does or becomes another.

use rusqlite::{OptionalExtension, params};

use super::reader::Readers;
use super::rows::Tx;
use super::tree::{plain, stored};
use super::write::Write;
use super::{Catalog, CatalogError, FileKey, VolumeKey, sql};

/// The number in a link's name.
pub type LinkName = [u8; 16];

/// A link to be made, unless the file has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLink {
    /// Where the file is.
    pub file: FileKey,
    /// The lower inode that must be there.
    pub ino: u64,
    /// The lower file's generation.
    pub birth: u64,
    /// What names it, if it has no name yet.
    pub name: LinkName,
    /// Who may read by it whatever else it may do: a package in one of its users.
    pub reader: Option<(Box<str>, u32)>,
}

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkPlace {
    /// Where the file is.
    pub file: FileKey,
    /// Its lower inode.
    pub ino: u64,
    /// The lower file's generation.
    pub birth: u64,
}

impl Catalog {
    /// Makes a link, committed on return: the name that the file has now, or `None` if the index does not have this inode
    /// at this place.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn put_link(&self, link: NewLink) -> Result<Option<LinkName>, CatalogError> {
        let file = self.queue.call(Write::PutLink(Box::new(link)))?;
        self.readers.link_of(file)
    }

    /// What the link of this name leads to.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn link(&self, name: &LinkName) -> Result<Option<LinkPlace>, CatalogError> {
        self.readers.link(name)
    }

    /// Whether the link of the file at this place was given to a package in one of its users.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn is_link_reader(&self, place: &LinkPlace, package: &str, user: u32) -> Result<bool, CatalogError> {
        self.readers.is_link_reader(place, package, user)
    }

    /// Every package, with its user, that any link was given to.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn link_readers(&self) -> Result<Vec<(String, u32)>, CatalogError> {
        self.readers.link_readers()
    }

    /// Queues: no link is given to this package in this user any more.
    pub fn drop_link_reader(&self, package: &str, user: u32) {
        self.queue.post(Write::DropLinkReader(package.into(), user));
    }
}

impl Readers {
    fn link_of(&self, file: i64) -> Result<Option<LinkName>, CatalogError> {
        self.with(|conn| conn.prepare_cached(sql::LINK_OF)?.query_row([file], |row| row.get(0)).optional())
    }

    fn link(&self, name: &LinkName) -> Result<Option<LinkPlace>, CatalogError> {
        self.with(|conn| {
            conn.prepare_cached(sql::LINK_GET)?
                .query_row([name], |row| {
                    let file = FileKey {
                        volume: VolumeKey(row.get(0)?),
                        user: row.get(1)?,
                        dir: plain(row.get_ref(2)?.as_blob()?).to_vec(),
                        name: row.get(3)?,
                    };
                    let (ino, birth): (i64, i64) = (row.get(4)?, row.get(5)?);
                    Ok(LinkPlace { file, ino: ino.cast_unsigned(), birth: birth.cast_unsigned() })
                })
                .optional()
        })
    }

    fn is_link_reader(&self, place: &LinkPlace, package: &str, user: u32) -> Result<bool, CatalogError> {
        let key = &place.file;
        self.with(|conn| {
            let values = params![
                key.volume.0,
                key.user,
                stored(&key.dir),
                key.name,
                place.ino.cast_signed(),
                place.birth.cast_signed(),
                package,
                user
            ];
            conn.prepare_cached(sql::LINK_READER)?.exists(values)
        })
    }

    fn link_readers(&self) -> Result<Vec<(String, u32)>, CatalogError> {
        self.with(|conn| {
            let mut statement = conn.prepare_cached(sql::LINK_READERS)?;
            let readers = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            readers.collect()
        })
    }
}

/// Yields the id of the file's row; 0 if there is no such file.
pub(super) fn put(tx: &Tx<'_>, link: &NewLink) -> rusqlite::Result<i64> {
    let key = &link.file;
    let found: Option<i64> = tx
        .conn
        .prepare_cached(sql::FILE_FIND_INO)?
        .query_row(
            params![key.volume.0, key.user, stored(&key.dir), key.name, link.ino.cast_signed()],
            |row| row.get(0),
        )
        .optional()?;
    let Some(file) = found else { return Ok(0) };
    let birth = link.birth.cast_signed();
    // If the row was of an earlier file, that one's link goes.
    tx.run(sql::FILE_SET_BIRTH, params![file, birth])?;
    tx.run(sql::LINK_REMOVE_OTHER, params![file, birth])?;
    tx.run(sql::LINK_PUT, params![file, link.name, birth])?;
    if let Some((package, user)) = &link.reader {
        tx.run(sql::LINK_READER_PUT, params![file, package, user])?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::{FileRow, Renamed};

    struct World {
        dir: tempfile::TempDir,
        catalog: Arc<Catalog>,
        volume: VolumeKey,
    }

    impl World {
        fn new() -> World {
            let dir = tempfile::tempdir().unwrap();
            let catalog = Catalog::open(dir.path(), Arc::default()).unwrap();
            let volume = catalog.volume("v", "emulated").unwrap();
            World { dir, catalog, volume }
        }

        fn key(&self, name: &str) -> FileKey {
            FileKey { volume: self.volume, user: 0, dir: b"DCIM".to_vec(), name: name.into() }
        }

        fn put(&self, name: &str, ino: u64, birth: u64) {
            let row = FileRow {
                owner: None,
                mime: "image/jpeg".into(),
                media_type: 1,
                pending: false,
                trashed: false,
                expires: None,
                ino,
                birth,
                size: 1,
                mtime_ns: 1,
            };
            self.catalog.upsert(self.key(name), row);
        }

        fn make(&self, name: &str, ino: u64, number: u8, reader: Option<&str>) -> Option<LinkName> {
            let link = NewLink {
                file: self.key(name),
                ino,
                birth: 5,
                name: [number; 16],
                reader: reader.map(|it| (it.into(), 0)),
            };
            self.catalog.put_link(link).unwrap()
        }

        fn leads_to(&self, number: u8) -> Option<Vec<u8>> {
            self.catalog.flush().unwrap();
            self.catalog.link(&[number; 16]).unwrap().map(|it| it.file.name)
        }

        fn reads(&self, name: &str, ino: u64, package: &str, user: u32) -> bool {
            let place = LinkPlace { file: self.key(name), ino, birth: 5 };
            self.catalog.is_link_reader(&place, package, user).unwrap()
        }
    }

    #[test]
    fn a_link_is_made_once_and_follows_the_file() {
        let world = World::new();
        world.put("a", 7, 5);
        assert_eq!(world.make("a", 8, 1, None), None, "another inode");
        assert_eq!(world.make("b", 7, 1, None), None);
        assert_eq!(world.make("a", 7, 1, None), Some([1; 16]));
        assert_eq!(world.make("a", 7, 2, None), Some([1; 16]));
        assert_eq!((world.leads_to(1), world.leads_to(2)), (Some(b"a".to_vec()), None));
        let renamed = Renamed {
            mime: "image/jpeg".into(),
            media_type: 1,
            pending: false,
            trashed: false,
            expires: None,
        };
        world.catalog.rename_file(world.key("a"), world.key("b"), renamed);
        assert_eq!(world.leads_to(1), Some(b"b".to_vec()));
        world.catalog.close();
        let again = Catalog::open(world.dir.path(), Arc::default()).unwrap();
        assert!(again.link(&[1; 16]).unwrap().is_some(), "it outlives the process");
    }

    #[test]
    fn a_link_goes_with_the_file_and_when_that_becomes_another() {
        let world = World::new();
        for (name, ino) in [("a", 7), ("b", 8), ("c", 9)] {
            world.put(name, ino, 5);
            world.make(name, ino, ino as u8, Some("p")).unwrap();
        }
        world.catalog.remove(world.key("a"));
        world.put("b", 20, 5);
        world.put("c", 9, 6);
        assert_eq!([7, 8, 9].map(|it| world.leads_to(it)), [None, None, None]);
        world.put("c", 9, 5);
        world.catalog.flush().unwrap();
        assert!(!world.reads("c", 9, "p", 0));
        assert!(world.catalog.link_readers().unwrap().is_empty());
    }

    #[test]
    fn a_link_is_given_to_a_package_in_a_user_until_it_leaves() {
        let world = World::new();
        world.put("a", 7, 5);
        for package in ["p", "q", "r"] {
            world.make("a", 7, 1, Some(package)).unwrap();
        }
        assert!(world.reads("a", 7, "p", 0) && world.reads("a", 7, "q", 0));
        assert!(!world.reads("a", 7, "p", 10) && !world.reads("a", 8, "p", 0));
        assert!(!world.reads("b", 7, "p", 0) && !world.reads("a", 7, "s", 0));
        world.catalog.store_package("p", None).unwrap();
        world.catalog.drop_link_reader("q", 0);
        world.catalog.flush().unwrap();
        assert_eq!(world.catalog.link_readers().unwrap(), [("r".to_owned(), 0)]);
        assert_eq!(world.leads_to(1), Some(b"a".to_vec()));
    }
}
