//! RENAME.

use std::borrow::Cow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use mediagate_policy::Operation;

use super::create::hide_below;
use super::list::{Facts, served};
use super::{Caller, OpError};
use crate::access::{Subject, Who};
use crate::catalog::FileRow;
use crate::lower::{self, FileKind, LowerError, Meta};
use crate::node::{File, Found, NodeId, Owner};
use crate::volume::{Moving, Volume};

/// Deeper than that below a directory that is renamed, nothing is checked but the rename is refused: a path that long
/// cannot be reached through the mount anyway (`PATH_MAX` / 2).
const DEEPEST: usize = 2048;

/// A rename whose tree others keep filling is given up after that many checks.
const CHECKS: usize = 8;

/// A directory with more below it than this is not renamed by an app whose files must be checked one by one: it would
/// keep a worker for too long.
const MOST_CHECKED: usize = 500_000;

/// One end of a rename.
struct End<'a> {
    dir: &'a Arc<File>,
    fd: BorrowedFd<'a>,
    name: &'a [u8],
}

/// Renames; `flags` are those of `renameat2(2)`, of which only `RENAME_NOREPLACE` can be served
/// (mediaprovider.md §1.6).
pub fn rename(
    volume: &Volume,
    caller: Caller,
    from: (NodeId, &[u8]),
    to: (NodeId, &[u8]),
    flags: u32,
) -> Result<(), OpError> {
    if flags & !libc::RENAME_NOREPLACE != 0 {
        return Err(OpError::Invalid);
    }
    let no_replace = flags != 0;
    if from == to {
        return Ok(());
    }
    let from_dir = volume.known(from.0)?;
    let to_dir = volume.known(to.0)?;
    let (from_fd, to_fd) = (volume.open_dir(&from_dir)?, volume.open_dir(&to_dir)?);
    let from = End { dir: &from_dir, fd: from_fd.as_fd(), name: from.1 };
    let to = End { dir: &to_dir, fd: to_fd.as_fd(), name: to.1 };

    let moved = enter(volume, &from)?.ok_or(OpError::NoEntry)?;
    let replaced = enter(volume, &to)?;
    let (old, _) = subject(volume, &moved, &from)?;
    let new = volume.subject_at(to.dir, to.name, moved.file().kind).ok_or(OpError::NotPermitted)?;
    let who = volume.access.who(caller.uid);
    let (in_the_way, pin) = replaced.as_ref().map(|it| subject(volume, it, &to)).transpose()?.unzip();
    let was_hidden = volume.is_hidden(&old, Some(from.dir));
    let _filling = volume.fill(to.dir, &new)?;
    let moving = check(volume, &who, moved.file(), &old, &new, in_the_way)?;
    let under_way = volume.moves.begin(new.lower_path());
    volume.lower.rename((from.fd, from.name), (to.fd, to.name), no_replace)?;
    if let Some(replaced) = &replaced
        && !Arc::ptr_eq(replaced.file(), moved.file())
    {
        volume.forget_other_spelling(replaced.file(), to.dir, to.name);
        replaced.file().mark_removed();
        volume.access.grants().forget(volume.file_id(replaced.file().id));
    }
    drop(pin);
    volume.forget_other_spelling(moved.file(), from.dir, from.name);
    let spelled = spelled(volume, &to, moved.file());
    let new = volume.subject_at(to.dir, &spelled, moved.file().kind).unwrap_or(new);
    moved.file().move_to(to.dir, &spelled);
    drop(moving);
    if moved.file().kind == FileKind::File && volume.may_be_split(&new) && !volume.may_be_split(&old) {
        // The kernel took what it knows of the old name over to the new one.
        volume.forget_name(moved.file());
    }
    index(volume, moved.file(), &old, &new, was_hidden);
    drop(under_way);
    // A directory of that name hides nothing: anybody may make one anywhere.
    for (end, came) in [(&from, false), (&to, true)] {
        if end.name == b".nomedia" && moved.file().kind == FileKind::File {
            hide_below(volume, end.dir, came);
        }
    }
    volume.settle_index()
}

/// How the directory spells the new name: what was replaced may have kept its own spelling, and FAT takes a name that
/// differs in case alone for the old one.
fn spelled<'a>(volume: &Volume, to: &End<'a>, moved: &File) -> Cow<'a, [u8]> {
    let there = |meta: Meta| Some(volume.lower.spelling(to.fd, to.name, &meta).ok()?.into_vec());
    let meta = volume.lower.has_spellings().then(|| Meta::at(to.fd, to.name).ok()).flatten();
    meta.filter(|meta| meta.id == moved.id).and_then(there).map_or(Cow::Borrowed(to.name), Cow::Owned)
}

/// What stands at one end, if anything; entered for the time of the request.
fn enter<'a>(volume: &'a Volume, end: &End<'_>) -> Result<Option<Found<'a>>, OpError> {
    match Meta::at(end.fd, end.name) {
        Ok(meta) => {
            let known = volume.known_name(end.dir, end.fd, end.name, &meta)?;
            Ok(Some(volume.enter(end.dir, end.fd, &known, &meta)?))
        }
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn subject(volume: &Volume, found: &Found<'_>, end: &End<'_>) -> Result<(Subject, Option<OwnedFd>), OpError> {
    let pin = volume.pin(found.file(), end.fd, end.name)?;
    Ok((volume.subject_of(found.file(), pin.as_ref().map(AsFd::as_fd))?, pin))
}

/// Decides. A directory whose files were checked one by one is held at the gate until the guard is dropped, so that it is
/// renamed as it was checked.
fn check<'a>(
    volume: &'a Volume,
    who: &Who,
    moved: &Arc<File>,
    old: &Subject,
    new: &Subject,
    replaced: Option<Subject>,
) -> Result<Option<Moving<'a>>, OpError> {
    let operation =
        Operation::Rename { to: new.object(), replaced: replaced.as_ref().map(|it| who.object(it)) };
    let grant = volume.access.check(who, old, operation)?;
    let parts = moved.kind == FileKind::Directory && parts_from_owners(old, new);
    if grant.check_children && moved.kind == FileKind::Directory {
        let mut may = |child: &Subject, operation: Operation<'_>| {
            volume.access.check(who, child, operation)?;
            if parts { keep_owner_of(volume, child) } else { Ok(()) }
        };
        for _ in 0..CHECKS {
            let checking = volume.gate.check(moved);
            check_children(volume, moved, old, new, &mut may)?;
            if let Some(moving) = checking.commit() {
                return Ok(Some(moving));
            }
        }
        return Err(OpError::Busy);
    }
    if parts {
        check_children(volume, moved, old, new, |child, _| keep_owner_of(volume, child))?;
    }
    if moved.kind == FileKind::File && old.owner_by_place().is_some() && volume.lower.has_xattrs() {
        keep_owner(volume, moved, old)?;
    }
    Ok(None)
}

/// A file that belongs to a package by its place alone is about to leave the place: from now on it says so itself.
fn keep_owner(volume: &Volume, file: &Arc<File>, old: &Subject) -> Result<(), OpError> {
    if let Owner::Package(owner) = file.owner() {
        let fd = volume.open(file, old.lower_path())?;
        if lower::owner(fd.as_fd())?.is_none() {
            lower::set_owner(fd.as_fd(), &owner)?;
        }
    }
    Ok(())
}

/// Files below a directory may belong to a package by their place alone, and its new name is none of that package's.
fn parts_from_owners(old: &Subject, new: &Subject) -> bool {
    old.holds_owners_by_place()
        && (old.owner_by_place().is_none() || old.owner_by_place() != new.owner_by_place())
}

/// The same as [`keep_owner`] of what is below a directory. Where files cannot say it their row does, which whoever looked at
/// them has written.
fn keep_owner_of(volume: &Volume, file: &Subject) -> Result<(), OpError> {
    if let Some(owner) = file.owner_by_place().filter(|_| volume.lower.has_xattrs()) {
        let fd = volume.lower.open_path(file.lower_path())?;
        if lower::owner(fd.as_fd())?.is_none() {
            lower::set_owner(fd.as_fd(), &owner)?;
        }
    }
    Ok(())
}

/// Every file below a directory must be allowed to move along, which `may` decides. The lower tree says what is there, so
/// that a file that the index does not know yet cannot slip through.
pub(super) fn check_children(
    volume: &Volume,
    top: &Arc<File>,
    old: &Subject,
    new: &Subject,
    mut may: impl FnMut(&Subject, Operation<'_>) -> Result<(), OpError>,
) -> Result<(), OpError> {
    let mut left = MOST_CHECKED;
    let mut dirs = vec![Arc::clone(top)];
    while let Some(dir) = dirs.pop() {
        let path = dir.path();
        let below = path.get(old.lower_path().len()..).unwrap_or_default();
        if below.len() > DEEPEST {
            return Err(OpError::Lower(LowerError::Os(rustix::io::Errno::NAMETOOLONG)));
        }
        let fd = volume.lower.open_dir_for_reading(&path)?;
        if Meta::of(fd.as_fd())?.id != dir.id {
            return Err(OpError::Stale);
        }
        let entries = served(fd.as_fd())?;
        let facts = Facts::new(volume, &dir, fd.as_fd())?;
        for (entry, kind) in entries {
            left = left.checked_sub(1).ok_or(OpError::Busy)?;
            if kind == FileKind::Directory {
                let meta = Meta::at(fd.as_fd(), &entry.name)?;
                dirs.push(volume.nodes.peek(&dir, &entry.name, &meta)?);
                continue;
            }
            let Some(child) = facts.subject(&entry.name)? else { continue };
            let target = [new.lower_path(), below, b"/", &entry.name].concat();
            let target =
                Subject::new(volume.kind, target, child.object().kind).ok_or(OpError::NotPermitted)?;
            may(&child, Operation::MoveWithParent { to: target.object() })?;
        }
    }
    Ok(())
}

/// Carries the rename over to the index.
fn index(volume: &Volume, moved: &Arc<File>, old: &Subject, new: &Subject, was_hidden: bool) {
    let (user, to_user) = (old.user_number(), new.user_number());
    let hidden = volume.is_hidden(new, moved.parent().as_ref());
    match moved.kind {
        FileKind::File if new.is_invisible() => {
            volume.access.grants().forget(volume.file_id(moved.id));
            volume.catalog.remove(volume.key_of(old));
            volume.rows_went();
        }
        FileKind::File => {
            let renamed = volume.renamed_to(new, hidden);
            volume.catalog.rename_file(volume.key_of(old), volume.key_of(new), renamed);
            // For a file that the index did not know under its old name.
            let owner = match moved.owner() {
                Owner::Package(package) => Some(package),
                Owner::Nobody | Owner::Unknown => None,
            };
            let open = volume.open(moved, new.lower_path());
            if let Ok((meta, fd)) = open.and_then(|fd| Ok((Meta::of(fd.as_fd())?, fd))) {
                let row = volume.row_of(new, owner, &meta, hidden);
                if new.media_type(hidden) != old.media_type(was_hidden) {
                    volume.count_media(fd.as_fd(), to_user, row.media_type);
                }
                volume.catalog.index_first_seen(volume.key_of(new), row);
            }
        }
        FileKind::Directory if user != to_user || new.is_invisible() => {
            forget_grants_below(volume, old);
            volume.catalog.remove_dir(volume.key, user, old.path().to_vec());
            volume.rows_went();
        }
        FileKind::Directory => {
            if old.is_invisible() {
                // Its files may have had rows at these very places before.
                volume.rows_went();
            }
            volume.moves.went(new.lower_path());
            volume.catalog.rename_dir(volume.key, user, old.path().to_vec(), new.path().to_vec());
            if hidden != was_hidden {
                volume.hide_in_index(new, hidden);
            }
        }
    }
}

/// The files below a directory leave the index, and with their rows go the grants on them.
fn forget_grants_below(volume: &Volume, dir: &Subject) {
    let grants = volume.access.grants();
    if !grants.any_on(volume.key.number()) {
        return;
    }
    let mut forget = |_: &[u8], _: &[u8], row: &FileRow| grants.forget(volume.file_of(row));
    let catalog = &volume.catalog;
    let walked = catalog
        .flush_volume(volume.key)
        .and_then(|()| catalog.for_each_below(volume.key, dir.user_number(), dir.path(), &mut forget));
    if let Err(error) = walked {
        log::error!(
            "volume={}: grants on files that were moved away stay until the next start: {error}",
            volume.name
        );
    }
}
