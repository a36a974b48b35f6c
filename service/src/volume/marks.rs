//! Ids and favourites that outlive the catalog: written on files ([`lower::Mark`]) and read when a row is made.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::Ordering::Relaxed;

use super::{OpError, Volume};
use crate::catalog::{CatalogError, Entry, Recorded};
use crate::lower::{self, FileKind, Mark, Meta, Series};

/// So many ids may be given out before the root of the volume is written again.
const AHEAD: i64 = 1 << 20;

impl Volume {
    /// Takes part in a series of ids: the one that the volume's root knows if `wanted` is `None` or that one, else
    /// `wanted`, or a new one. No id that was given out in it is given again. Says which one it is; `None` on a file system
    /// that keeps no attributes.
    ///
    /// # Errors
    ///
    /// When the catalog fails.
    pub fn join_series(&self, wanted: Option<u64>) -> Result<Option<u64>, CatalogError> {
        if !self.lower.has_xattrs() {
            return Ok(None);
        }
        let known =
            lower::series(self.lower.as_fd()).filter(|it| wanted.is_none_or(|it_is| it_is == it.number));
        if let Some(known) = known {
            self.catalog.continue_ids_from(known.until);
        }
        let number = match known.map(|it| it.number).or(wanted) {
            Some(number) => number,
            None => self.catalog.version()?.1.cast_unsigned().max(1),
        };
        self.series.store(number, Relaxed);
        self.write_series();
        Ok(Some(number))
    }

    /// Writes down on the volume's root up to where ids may have been given out, if that is not so already.
    pub fn write_series(&self) {
        let number = self.series.load(Relaxed);
        let mark = self.catalog.id_mark();
        let known = lower::series(self.lower.as_fd());
        let enough = known.is_some_and(|it| it.number == number && it.until > mark.saturating_add(AHEAD / 2));
        if number == 0 || enough {
            return;
        }
        let until = mark.saturating_add(AHEAD);
        if let Err(error) = lower::set_series(self.lower.as_fd(), Series { number, until }) {
            log::warn!("volume={}: ids will not outlive the catalog: {error}", self.name);
            self.series.store(0, Relaxed);
        }
    }

    /// What an open file says of the row that it had.
    pub(super) fn recorded(&self, fd: BorrowedFd<'_>, meta: &Meta) -> Recorded {
        let series = self.series.load(Relaxed);
        let mark = if series == 0 { None } else { lower::mark(fd, meta.id) };
        match mark.filter(|it| it.series == series && it.id < self.catalog.id_mark()) {
            Some(mark) => Recorded { id: Some(mark.id), favorite: mark.favorite, added: None },
            None => Recorded::default(),
        }
    }

    /// Writes the id of a row on its file, and whether it is a favourite; true if that was not there yet. What is not the
    /// row's file, or gone, is left alone.
    ///
    /// # Errors
    ///
    /// When the lower file system refuses.
    pub fn write_mark(&self, entry: &Entry) -> Result<bool, OpError> {
        let series = self.series.load(Relaxed);
        if series == 0 {
            return Ok(false);
        }
        let fd = match self.lower.open_path(&self.lower_path(&entry.key)) {
            Ok(fd) => fd,
            Err(error) if error.is_not_found() => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let meta = Meta::of(fd.as_fd())?;
        if meta.kind != FileKind::File || meta.id.ino != entry.row.ino {
            return Ok(false);
        }
        let mark = Mark { series, id: entry.id, favorite: entry.favorite };
        Ok(lower::set_mark(fd.as_fd(), meta.id, mark)?)
    }
}
