//! LOOKUP: from a name in a directory to a node, in the view that the caller may see.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use mediagate_policy::Operation;

use super::{Caller, Entry, LookupReply, OpError};
use crate::access::{Subject, Who};
use crate::lower::{FileKind, Meta};
use crate::node::{File, Found, NodeId, View};
use crate::volume::Volume;

/// How much is done to find out whether callers are told apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Effort {
    /// The file is looked into.
    Look,
    /// They are told apart if it is not known: a listing is no reason to look into files. The name is not kept, so whoever
    /// walks there asks again.
    NoLook,
}

/// Resolves `name` in `parent`.
pub fn lookup(volume: &Volume, caller: Caller, parent: NodeId, name: &[u8]) -> Result<LookupReply, OpError> {
    let dir = volume.nodes.get(parent).ok_or(OpError::Stale)?;
    let who = volume.access.who(caller.uid);
    // The kind does not matter for lookups, and is not known before the lower file system is asked.
    let subject = volume.subject_at(&dir, name, FileKind::File).ok_or(OpError::NoEntry)?;
    volume.access.check(&who, &subject, Operation::Lookup)?;
    if is_unserved_user(volume, &subject) {
        return Err(OpError::NoEntry);
    }
    let lower_dir = volume.open_dir(&dir)?;
    match Meta::at(lower_dir.as_fd(), name) {
        Ok(meta) => Ok(LookupReply::Found(answer(
            volume,
            &who,
            (&dir, lower_dir.as_fd()),
            name,
            &meta,
            Effort::Look,
        )?)),
        Err(error) if error.is_not_found() => {
            Ok(LookupReply::Missing(volume.missing_ttl(&dir, lower_dir.as_fd(), &subject)))
        }
        Err(error) => Err(error.into()),
    }
}

/// True for the directory of a user that the volume does not serve.
pub(super) fn is_unserved_user(volume: &Volume, subject: &Subject) -> bool {
    subject.is_user_root() && !volume.users.contains(&subject.user_number())
}

/// Enters what was found in `dir` (whose lower directory is given too) into the node table and says what the kernel is to know of it.
pub(super) fn answer(
    volume: &Volume,
    who: &Who,
    (dir, lower_dir): (&Arc<File>, BorrowedFd<'_>),
    name: &[u8],
    meta: &Meta,
    effort: Effort,
) -> Result<Entry, OpError> {
    let found = volume.nodes.enter(dir, name, meta)?;
    let known = found.file().name();
    if *known != *name && Meta::at(lower_dir, &known).map(|it| it.id) != Ok(meta.id) {
        // Not another spelling of a name that is there still: it has been renamed behind the mount.
        found.file().move_to(dir, name);
    }
    let subject = volume.subject_at(dir, name, meta.kind).ok_or(OpError::NoEntry)?;
    let (view, split) = view_for(volume, who, &found, &subject, meta, effort)?;
    let other_spelling = found.file().is_other_spelling(dir, name);
    let entry_ttl = if split || other_spelling { Duration::ZERO } else { volume.entry_ttl(&subject) };
    if !entry_ttl.is_zero() {
        found.file().set_named(true);
    }
    let attr_ttl = volume.attr_ttl(found.file(), meta);
    Ok(Entry { node: found.answer(view), meta: *meta, entry_ttl, attr_ttl })
}

/// Which view of a file the caller gets, and whether that depends on the caller at all.
fn view_for(
    volume: &Volume,
    who: &Who,
    found: &Found<'_>,
    subject: &Subject,
    meta: &Meta,
    effort: Effort,
) -> Result<(View, bool), OpError> {
    let file = found.file();
    if meta.kind != FileKind::File || !volume.may_be_split(subject) {
        return Ok((View::Original, false));
    }
    let split = match effort {
        Effort::Look => volume.is_split(file, subject, meta)?,
        Effort::NoLook => volume.known_split(Some(file), subject, meta).unwrap_or(true),
    };
    if !split {
        return Ok((View::Original, false));
    }
    Ok((view_of(volume, who, &volume.subject_of(file, None)?), true))
}

/// The original only for who may read it unredacted, or may write it: an open for writing is never redacted
/// (mediaprovider.md §1.8), and whoever gets the bytes with one kind of open has them.
pub(super) fn view_of(volume: &Volume, who: &Who, subject: &Subject) -> View {
    let may = |operation| volume.access.explain(who, subject, operation).grant();
    let reads = may(Operation::OpenRead).is_ok_and(|grant| !grant.redact);
    if reads || may(Operation::OpenWrite).is_ok() { View::Original } else { View::Redacted }
}
