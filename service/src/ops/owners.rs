//! Whose the files of a directory are, as the index has it, for a listing that believes it: no more of a row than decides, and
//! nothing that is put into memory for each of them alone.

use std::collections::HashMap;
use std::sync::Arc;

use crate::catalog::{Catalog, CatalogError, VolumeKey};

/// The files of one directory.
#[derive(Debug, Default)]
pub(super) struct Owners {
    names: Vec<u8>,
    /// By inode number. Of several names for one file the last is kept.
    files: HashMap<u64, Owned>,
}

/// Which file it is, and whose.
#[derive(Debug)]
pub(super) struct Owned {
    /// Where in `names`.
    name: (usize, usize),
    pub(super) owner: Option<Arc<str>>,
    /// The lower file's generation.
    pub(super) birth: u64,
}

impl Owners {
    /// Of the files that the index has in `dir`.
    pub(super) fn read(
        catalog: &Catalog,
        volume: VolumeKey,
        user: u32,
        dir: &[u8],
    ) -> Result<Owners, CatalogError> {
        let mut owners = Owners::default();
        catalog.for_each_owner(volume, user, dir, &mut |name, owner, ino, birth| {
            owners.add(name, owner.cloned(), ino, birth);
        })?;
        Ok(owners)
    }

    fn add(&mut self, name: &[u8], owner: Option<Arc<str>>, ino: u64, birth: u64) {
        let begin = self.names.len();
        self.names.extend_from_slice(name);
        self.files.insert(ino, Owned { name: (begin, self.names.len()), owner, birth });
    }

    /// The file of this name and inode number.
    pub(super) fn get(&self, name: &[u8], ino: u64) -> Option<&Owned> {
        let found = self.files.get(&ino)?;
        (self.names.get(found.name.0..found.name.1) == Some(name)).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_name_and_inode() {
        let mut owners = Owners::default();
        owners.add(b"a", Some("mine".into()), 1, 10);
        owners.add(b"bc", None, 2, 20);
        owners.add(b"d", None, 2, 20);
        let mine = owners.get(b"a", 1).unwrap();
        assert_eq!((mine.owner.as_deref(), mine.birth), (Some("mine"), 10));
        assert!(owners.get(b"a", 2).is_none() && owners.get(b"b", 1).is_none());
        // A second name of one file: the first has to be looked at.
        assert!(owners.get(b"bc", 2).is_none() && owners.get(b"d", 2).is_some());
        assert!(owners.get(b"", 3).is_none());
    }
}
