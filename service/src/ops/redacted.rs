//! READ of redacted views: what a caller that may not see a location gets of a file that others may be writing.
//!
//! An answer is given only if what was looked at before the bytes were read and what is there after it are the same: of a
//! file that has rested since its last look, its stamp and the number of its writers; of any other, what is to be hidden in
//! it, found twice. Stores through a mapping and writes on a passthrough file send no request. Whoever writes is counted from its OPEN
//! to its RELEASE; a mapping may live longer (the kernel maps the backing file, mm/backing-file.c), and its stores show in the stamp, as
//! no file counts as rested before its pages were written out ([`crate::lower::write_out`]). A file that does not come to rest reads as zeros, never as what it is and never as an error.

use std::os::fd::BorrowedFd;
use std::sync::Arc;

use super::OpError;
use super::io::fill;
use crate::lower::{LowerError, Meta, Stamp};
use crate::node::View;
use crate::observe::Counter;
use crate::redaction::Hidden;
use crate::volume::{FileHandle, Redaction, Resting, Volume};

/// A file that was another one after each of so many reads does not come to rest.
const ATTEMPTS: usize = 8;

/// What was looked at before bytes were read.
enum Look {
    /// It has rested, and whatever changes it shows.
    Resting(Resting),
    /// It is being written, or changed a moment ago.
    Changing { hidden: Hidden, stamp: Stamp, quiet: Option<u64> },
}

impl Look {
    fn hidden(&self) -> &Hidden {
        match self {
            Look::Resting(resting) => &resting.hidden,
            Look::Changing { hidden, .. } => hidden,
        }
    }
}

/// Reads into `buffer`; returns how much.
pub(super) fn read(
    volume: &Volume,
    handle: &Arc<FileHandle>,
    redaction: &Redaction,
    offset: u64,
    buffer: &mut [u8],
) -> Result<usize, OpError> {
    let file = &handle.file;
    if let Some(token) = redaction.token {
        file.pages(redaction.view).arrived(token);
    }
    let fd = handle.io()?;
    let mut filled = 0;
    for _ in 0..ATTEMPTS {
        let look = look(volume, handle, redaction, fd)?;
        filled = fill(fd, offset, buffer)?;
        look.hidden().hide(offset, buffer.get_mut(..filled).unwrap_or_default());
        if is_so_still(volume, handle, fd, &look)? {
            answered(volume, handle, redaction.view, &look);
            return Ok(filled);
        }
    }
    volume.observer.count(Counter::Blanked);
    buffer.get_mut(..filled).unwrap_or_default().fill(0);
    let _mixed = file.pages(redaction.view).fill(None);
    volume.drop_redacted_pages(file, redaction.view);
    Ok(filled)
}

fn look(
    volume: &Volume,
    handle: &FileHandle,
    redaction: &Redaction,
    fd: BorrowedFd<'_>,
) -> Result<Look, LowerError> {
    let file = &handle.file;
    let quiet = file.quiet();
    if let Some(quiet) = quiet {
        let meta = Meta::of(fd)?;
        let stamp = meta.stamp();
        let last = redaction.last.lock().clone();
        if let Some(last) = last.filter(|last| last.stamp == stamp && last.quiet == quiet) {
            return Ok(Look::Resting(last));
        }
        if volume.located.is_settled(&stamp) {
            let undisturbed = || file.quiet() == Some(quiet);
            let (hidden, found) = volume.located.of(fd, &meta, redaction.keep, &undisturbed)?;
            if found == stamp {
                let resting = Resting { hidden, stamp, quiet, settled: true };
                *redaction.last.lock() = Some(resting.clone());
                return Ok(Look::Resting(resting));
            }
        }
    }
    let (hidden, stamp) = volume.located.fresh(fd)?;
    Ok(Look::Changing { hidden, stamp, quiet })
}

fn is_so_still(
    volume: &Volume,
    handle: &FileHandle,
    fd: BorrowedFd<'_>,
    look: &Look,
) -> Result<bool, LowerError> {
    match look {
        Look::Resting(resting) => {
            let stamp = Meta::of(fd)?.stamp();
            Ok(stamp == resting.stamp && handle.file.quiet() == Some(resting.quiet))
        }
        Look::Changing { hidden, stamp, quiet } => {
            let (hidden_now, stamp_now) = volume.located.fresh(fd)?;
            let same = (hidden_now, stamp_now) == (hidden.clone(), *stamp);
            Ok(same && Meta::of(fd)?.stamp() == *stamp && handle.file.quiet() == *quiet)
        }
    }
}

/// Keeps what the kernel will have in its cache honest.
fn answered(volume: &Volume, handle: &FileHandle, view: View, look: &Look) {
    let pages = handle.file.pages(view);
    let drop = match look {
        Look::Resting(resting) => pages.fill(Some(resting.stamp)),
        Look::Changing { quiet, .. } => {
            volume.observer.count(Counter::Unsettled);
            // Whoever writes can go on doing so without a request.
            pages.fill(None) || quiet.is_none()
        }
    };
    if drop {
        // The page that is being read is locked until this is answered, so the notice comes after it.
        volume.drop_redacted_pages(&handle.file, view);
    }
}
