//! OPENDIR, RELEASEDIR, and the listing that READDIR and READDIRPLUS are answered from.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::SystemTime;

use mediagate_policy::{ListScope, Operation};
use parking_lot::Mutex;

use super::list::{Shown, make};
use super::{Caller, OpError};
use crate::access::{Subject, Who};
use crate::lower::{FileKind, Meta};
use crate::node::{KeptListing, Listing, NodeId};
use crate::volume::{DirHandle, Showing, Snapshot, Volume};

/// Opens a directory for listing: the handle's number, and how it is to be listed.
pub fn opendir(volume: &Volume, caller: Caller, node: NodeId) -> Result<(u64, Listing), OpError> {
    let file = volume.known(node)?;
    if file.kind != FileKind::Directory {
        return Err(OpError::NotDirectory);
    }
    let place = volume.place_of(&file)?;
    let epoch = volume.access.epoch();
    let who = volume.access.who(caller.uid);
    let scope = volume.access.check(&who, &place, Operation::OpenDir)?.scope;
    let ticket = volume.handles.take(caller.uid, 1)?;
    let looked = SystemTime::now();
    let fd = volume.lower.open_dir_for_reading(place.lower_path())?;
    let meta = Meta::of(fd.as_fd())?;
    if meta.id != file.id {
        return Err(OpError::Stale);
    }
    let mut handle = DirHandle { file, uid: caller.uid, fd, snapshot: Mutex::default(), kept: None, ticket };
    let mut listing = Listing::Asked;
    if let Some(version) = volume.listing_version(&meta, looked)
        && !place.is_mount_root()
        && !volume.entry_ttl(&place).is_zero()
        && (scope == ListScope::Everything || is_shown_all(volume, &handle, &who, epoch, &place, version))
    {
        let (entered, kept) = KeptListing::enter(&handle.file, caller.uid, version);
        // Somebody may have filled in what came since the look. From now on only such handles as this one can.
        let is_same = Meta::of(handle.fd.as_fd()).is_ok_and(|now| now.stamp().ctime_ns == version);
        match kept {
            Some(kept) if is_same => {
                (listing, handle.kept) = (entered, Some(kept));
                if listing == Listing::Kept {
                    *handle.snapshot.lock() = None;
                }
            }
            Some(kept) => kept.spoil(),
            None => {}
        }
    }
    Ok((volume.dirs.insert(Arc::new(handle)), listing))
}

/// Whether a caller who is not shown everything everywhere is shown all that is in this directory. To know that, the listing is made
/// now and not at the first READDIR; but only once, as not everybody reads what he opens.
fn is_shown_all(
    volume: &Volume,
    handle: &DirHandle,
    who: &Who,
    epoch: u64,
    place: &Subject,
    version: i64,
) -> bool {
    if who.holds_grants() {
        // They come, go and end on their own.
        return false;
    }
    let (dir, path) = (handle.file.id, place.lower_path());
    let hidden = volume.is_hidden_dir(&handle.file, place.path());
    let owners = volume.owner_changes();
    let showing = Showing { dir, path, version, owners, hidden, uid: handle.uid, epoch };
    if let Some(all) = volume.showed_all(&showing) {
        return all;
    }
    // What fails is the first READDIR's to tell.
    let Ok(shown) = make(volume, handle, 0) else { return false };
    let (all, by_grants) = (shown.all, shown.by_grants);
    let snapshot = snapshot(volume, handle, 0, shown);
    *handle.snapshot.lock() = snapshot.ok().map(Arc::new);
    if by_grants || volume.is_hidden_dir(&handle.file, place.path()) != hidden {
        // Something changed meanwhile: it was not shown by what is about to be remembered.
        return false;
    }
    volume.has_shown(&showing, all);
    all
}

/// Closes a directory.
pub fn releasedir(volume: &Volume, number: u64) -> Result<(), OpError> {
    volume.dirs.remove(number).map(drop).ok_or(OpError::BadHandle)
}

/// The handle and its listing. It is made if there is none; and anew, from `place` on, if that is not in it and may be from what the
/// kernel kept.
pub fn listing(volume: &Volume, number: u64, place: u64) -> Result<(Arc<DirHandle>, Arc<Snapshot>), OpError> {
    let handle = volume.dirs.get(number).ok_or(OpError::BadHandle)?;
    // The kernel reads a handle once at a time; the lower directory's position is the handle's.
    let mut known = handle.snapshot.lock();
    if let Some(kept) = &handle.kept {
        kept.read();
    }
    let may_be_kept = handle.kept.is_some();
    if let Some(snapshot) = known.as_ref().filter(|it| it.entries_from(place).is_some() || !may_be_kept) {
        let snapshot = Arc::clone(snapshot);
        drop(known);
        return Ok((handle, snapshot));
    }
    let from = if may_be_kept { place } else { 0 };
    let shown = make(volume, &handle, from)?;
    if !shown.all {
        handle.shows_less();
    }
    *known = None;
    let snapshot = Arc::new(snapshot(volume, &handle, from, shown)?);
    *known = Some(Arc::clone(&snapshot));
    drop(known);
    Ok((handle, snapshot))
}

fn snapshot(volume: &Volume, handle: &DirHandle, from: u64, shown: Shown) -> Result<Snapshot, OpError> {
    let entries = u32::try_from(shown.entries.len()).unwrap_or(u32::MAX);
    let ticket = volume.listed.take(handle.uid, entries)?;
    Ok(Snapshot::new(from, shown.entries, ticket))
}
