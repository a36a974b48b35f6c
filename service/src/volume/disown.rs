//! Taking files away from a package that left.

use std::os::fd::AsFd;
use std::sync::Arc;

use mediagate_policy::Kind;

use super::{OpError, Volume};
use crate::access::Subject;
use crate::catalog::{FileKey, FileRow};
use crate::lower::{self, FileKind, LowerError, Meta};
use crate::node::{File, Owner};

impl Volume {
    /// The path below the lower root of what the catalog has at `key`.
    pub fn lower_path(&self, key: &FileKey) -> Vec<u8> {
        let user = key.user.to_string();
        let user = if self.users.is_empty() { b"" } else { user.as_bytes() };
        let parts = [user, &key.dir, &key.name].into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(&b'/')
    }

    /// Whose place the file at `key` is in.
    pub fn owner_by_place(&self, key: &FileKey) -> Option<Arc<str>> {
        Subject::new(self.kind, self.lower_path(key), Kind::File)?.owner_by_place()
    }

    /// Takes the file at `key`, of which the index has `row`, away from `package`, and says who owns it then: whose place it
    /// is in, or nobody. The row stays as it is. `None` if the file is gone.
    ///
    /// # Errors
    ///
    /// When the lower file system refuses.
    pub fn disown(
        &self,
        key: &FileKey,
        row: &FileRow,
        package: &str,
    ) -> Result<Option<Option<Arc<str>>>, OpError> {
        let path = self.lower_path(key);
        let Some(subject) = Subject::new(self.kind, path, Kind::File) else { return Ok(None) };
        match self.take_away(&subject, package)? {
            Some(owner) => Ok(Some(owner)),
            None => Ok(self.row_is_gone(key, row)),
        }
    }

    /// Takes away from `package` the files that the kernel knows, of `user` if one is given: the row of one that is just being
    /// renamed may be on its way, and is found in neither place.
    ///
    /// # Errors
    ///
    /// When the lower file system refuses.
    pub fn disown_known(&self, package: &str, user: Option<u32>) -> Result<(), OpError> {
        let is_its = |file: &File| matches!(file.owner(), Owner::Package(owner) if *owner == *package);
        for file in self.nodes.all().iter().filter(|file| !file.is_removed() && is_its(file)) {
            let Ok(subject) = self.place_of(file) else { continue };
            let of_user = user.is_none_or(|user| !self.users.is_empty() && subject.user_number() == user);
            if of_user && !subject.is_invisible() {
                self.take_away(&subject, package)?;
            }
        }
        Ok(())
    }

    /// Says who owns the file at a place when it is no longer the package's; `None` if there is none.
    fn take_away(&self, subject: &Subject, package: &str) -> Result<Option<Option<Arc<str>>>, OpError> {
        let opened =
            self.lower.open_path(subject.lower_path()).and_then(|fd| Ok((Meta::of(fd.as_fd())?, fd)));
        let (meta, fd) = match opened {
            Ok((meta, fd)) if meta.kind == FileKind::File => (meta, fd),
            Ok(_) | Err(LowerError::NotServed | LowerError::Escapes) => return Ok(None),
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut recorded = None;
        if self.lower.has_xattrs() {
            recorded = lower::owner(fd.as_fd())?;
            if recorded.as_deref() == Some(package) {
                lower::clear_owner(fd.as_fd())?;
                recorded = None;
            }
        }
        let owner = recorded.or_else(|| subject.owner_by_place());
        if let Some(file) = self.nodes.find(meta.id) {
            file.set_owner(Owner::from(owner.clone()));
        }
        self.owners_changed();
        Ok(Some(owner))
    }

    fn row_is_gone<T>(&self, key: &FileKey, row: &FileRow) -> Option<T> {
        self.catalog.remove_gone(key.clone(), row.ino, row.birth);
        None
    }
}
