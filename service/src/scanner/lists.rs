//! The two lists of a directory that a walk goes through side by side, both sorted by name.

use std::os::fd::BorrowedFd;

use crate::access::Subject;
use crate::catalog::{CatalogError, FileRow};
use crate::lower::{FileKind, LowerError, each_entry};
use crate::volume::Volume;

/// Rows of a directory in memory at once.
pub(super) const PAGE: usize = 1024;

/// The rows of a directory, by name, a page at a time.
pub(super) struct Rows<'a> {
    volume: &'a Volume,
    user: u32,
    dir: Vec<u8>,
    page: std::vec::IntoIter<(Vec<u8>, FileRow)>,
    last: Option<Vec<u8>>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(volume: &'a Volume, dir: &Subject) -> Result<Rows<'a>, CatalogError> {
        let mut rows = Rows {
            volume,
            user: dir.user_number(),
            dir: dir.path().to_vec(),
            page: Vec::new().into_iter(),
            last: Some(Vec::new()),
        };
        rows.fill()?;
        Ok(rows)
    }

    fn fill(&mut self) -> Result<(), CatalogError> {
        while self.page.as_slice().is_empty()
            && let Some(after) = self.last.take()
        {
            let page = self.volume.catalog.dir_page(self.volume.key, self.user, &self.dir, &after, PAGE)?;
            self.last = page.last().filter(|_| page.len() == PAGE).map(|(name, _)| name.clone());
            self.page = page.into_iter();
        }
        Ok(())
    }

    /// The next one.
    pub(super) fn next(&mut self) -> Result<Option<(Vec<u8>, FileRow)>, CatalogError> {
        self.fill()?;
        Ok(self.page.next())
    }

    /// The next one, if its name is `wanted`.
    pub(super) fn next_if(
        &mut self,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<(Vec<u8>, FileRow)>, CatalogError> {
        self.fill()?;
        match self.page.as_slice().first() {
            Some((name, _)) if wanted(name) => Ok(self.page.next()),
            _ => Ok(None),
        }
    }
}

/// The names of a directory and what they are of, sorted, in one buffer.
pub(super) struct Names {
    bytes: Vec<u8>,
    /// Where each one begins, how long it is, and its kind.
    entries: Vec<(usize, u16, Option<FileKind>)>,
}

impl Names {
    pub(super) fn read(dir: BorrowedFd<'_>) -> Result<Names, LowerError> {
        let (mut bytes, mut entries) = (Vec::new(), Vec::new());
        each_entry(dir, |name, kind| {
            // No file system has names that are longer.
            if let Ok(length) = u16::try_from(name.len()) {
                entries.push((bytes.len(), length, kind));
                bytes.extend_from_slice(name);
            }
        })?;
        let name = |(at, length, _): &(usize, u16, _)| bytes.get(*at..at + usize::from(*length));
        entries.sort_unstable_by(|a, b| name(a).cmp(&name(b)));
        Ok(Names { bytes, entries })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Option<FileKind>)> {
        self.entries.iter().map(|(at, length, kind)| {
            (self.bytes.get(*at..at + usize::from(*length)).unwrap_or_default(), *kind)
        })
    }
}
