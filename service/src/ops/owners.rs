//! Whose the files of a directory are, as the index has it, for a listing that believes it: no more of a row than decides, and
//! nothing that is put into memory for each of them alone.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;

use crate::catalog::{Catalog, CatalogError, VolumeKey};

/// The files of one directory.
#[derive(Debug, Default)]
pub(super) struct Owners {
    /// By inode number. Of several names for one file the last is kept.
    files: HashMap<u64, Owned>,
    /// All that own any of them.
    owners: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    /// Rows beside each other mostly have one.
    last: Option<(Arc<str>, u32)>,
    /// Names are kept as numbers that nobody outside can foresee.
    names: RandomState,
}

/// Which file it is, and whose: small, as each look at one is likely to miss the processor's caches.
#[derive(Clone, Copy, Debug)]
struct Owned {
    name: u64,
    /// The lower file's generation.
    birth: u64,
    /// Where in `owners`; nobody's are behind its end.
    owner: u32,
}

impl Owners {
    /// Of the files that the index has in `dir`, about `expected` of them.
    pub(super) fn read(
        catalog: &Catalog,
        volume: VolumeKey,
        user: u32,
        dir: &[u8],
        expected: usize,
    ) -> Result<Owners, CatalogError> {
        let mut owners = Owners { files: HashMap::with_capacity(expected), ..Owners::default() };
        catalog.for_each_owner(volume, user, dir, &mut |name, owner, ino, birth| {
            owners.add(name, owner, ino, birth);
        })?;
        Ok(owners)
    }

    fn add(&mut self, name: &[u8], owner: Option<&Arc<str>>, ino: u64, birth: u64) {
        let owner = owner.map_or(u32::MAX, |owner| self.number(owner));
        self.files.insert(ino, Owned { name: self.names.hash_one(name), birth, owner });
    }

    /// Where in `owners` this one is.
    fn number(&mut self, owner: &Arc<str>) -> u32 {
        if let Some((last, number)) = &self.last
            && Arc::ptr_eq(last, owner)
        {
            return *number;
        }
        let number = *self.numbers.entry(Arc::clone(owner)).or_insert_with(|| {
            self.owners.push(Arc::clone(owner));
            u32::try_from(self.owners.len() - 1).unwrap_or(u32::MAX)
        });
        self.last = Some((Arc::clone(owner), number));
        number
    }

    /// The owner and the generation of the file of this name and inode number.
    pub(super) fn get(&self, name: &[u8], ino: u64) -> Option<(Option<&Arc<str>>, u64)> {
        let found = self.files.get(&ino).filter(|found| found.name == self.names.hash_one(name))?;
        Some((usize::try_from(found.owner).ok().and_then(|at| self.owners.get(at)), found.birth))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_name_and_inode() {
        let mut owners = Owners::default();
        owners.add(b"a", Some(&"mine".into()), 1, 10);
        owners.add(b"bc", None, 2, 20);
        owners.add(b"d", None, 2, 20);
        let mine = owners.get(b"a", 1).unwrap();
        assert_eq!((mine.0.map(|it| &**it), mine.1), (Some("mine"), 10));
        assert!(owners.get(b"a", 2).is_none() && owners.get(b"b", 1).is_none());
        // A second name of one file: the first has to be looked at.
        assert!(owners.get(b"bc", 2).is_none() && owners.get(b"d", 2).is_some());
        assert!(owners.get(b"", 3).is_none());
    }
}
