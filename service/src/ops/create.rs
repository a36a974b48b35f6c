//! CREATE and MKNOD.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use mediagate_policy::Operation;
use rustix::io::Errno;

use super::lookup::{Effort, answer};
use super::open::attach;
use super::{Caller, Created, Entry, OpError};
use crate::access::Subject;
use crate::lower::{self, Access, FileKind, LowerError, Meta};
use crate::node::{File, NodeId, Owner, View};
use crate::volume::{Sight, Volume};

/// What a package hears that owns too many files to make another (mediaprovider.md §2.5, CREATE).
pub(super) const TOO_MANY: mediagate_policy::Errno = mediagate_policy::Errno::Efault;

/// Makes a file and opens it. `exclusive` is the app's `O_EXCL`.
pub fn create(
    volume: &Volume,
    caller: Caller,
    parent: NodeId,
    name: &[u8],
    access: Access,
    exclusive: bool,
) -> Result<Created, OpError> {
    // Without room for the handle no file is made.
    let ticket = volume.handles.take(caller.uid, 1)?;
    let (mut entry, file, fd) = make(volume, caller, parent, name).map_err(|error| match error {
        // Something of that name appeared behind the kernel's back. Never open it here, where it was not decided
        // about: the kernel looks it up and sends OPEN.
        OpError::Lower(LowerError::Os(Errno::EXIST)) if !exclusive && is_served(volume, parent, name) => {
            OpError::Stale
        }
        other => other,
    })?;
    if entry.node.view() != View::Original {
        // Whoever makes a file sees it as it is; if that is not so, OPEN has to say how it is to be seen.
        volume.nodes.forget(entry.node, 1);
        return Err(OpError::Stale);
    }
    let opened = attach(volume, caller, &file, access, Sight::Original, (Arc::new(fd), ticket));
    if access != Access::Read && volume.place_of(&file).is_ok_and(|place| volume.may_be_split(&place)) {
        // Whoever may not see a location gets another node as long as this one writes.
        entry.entry_ttl = Duration::ZERO;
    }
    Ok(Created { entry, opened })
}

/// False for a symbolic link or another thing that no lookup ever finds: asking the kernel to look again would end in
/// ESTALE for the app.
fn is_served(volume: &Volume, parent: NodeId, name: &[u8]) -> bool {
    let Some(dir) = volume.nodes.get(parent) else { return true };
    let meta = volume.open_dir(&dir).and_then(|fd| Ok(Meta::at(fd.as_fd(), name)?));
    !matches!(meta, Err(OpError::Lower(LowerError::NotServed | LowerError::Escapes)))
}

/// `mknod` of a regular file is a create without a handle; nothing else can be made.
pub fn mknod(
    volume: &Volume,
    caller: Caller,
    parent: NodeId,
    name: &[u8],
    mode: u32,
) -> Result<Entry, OpError> {
    if !matches!(mode & libc::S_IFMT, libc::S_IFREG | 0) {
        return Err(OpError::NotPermitted);
    }
    Ok(make(volume, caller, parent, name)?.0)
}

fn make(
    volume: &Volume,
    caller: Caller,
    parent: NodeId,
    name: &[u8],
) -> Result<(Entry, Arc<File>, OwnedFd), OpError> {
    let dir = volume.known(parent)?;
    let who = volume.access.who(caller.uid);
    let subject = volume.subject_at(&dir, name, FileKind::File).ok_or(OpError::NotPermitted)?;
    let grant = volume.access.check(&who, &subject, Operation::Create)?;
    if subject.is_user_root() {
        // What stands there is a user's directory; a file would keep one from being made.
        return Err(OpError::NotPermitted);
    }
    let creator = if grant.take_ownership { who.first_package().cloned() } else { None };
    if creator.as_ref().is_some_and(|creator| !volume.catalog.owns_one_more(creator)) {
        return Err(OpError::Denied(TOO_MANY));
    }
    // What nobody owns belongs to the package whose place it is in, for as long as it stays there.
    let owner = creator.clone().or_else(|| subject.owner_by_place());
    let _filling = volume.fill(&dir, &subject)?;
    let lower_dir = volume.open_dir(&dir)?;
    let under_way = volume.moves.begin(subject.lower_path());
    let fd = volume.lower.create(lower_dir.as_fd(), name)?;
    let recorded = record(volume, &subject, &dir, &fd, (creator.as_ref(), owner.as_ref()));
    drop(under_way);
    let made = recorded.and_then(|meta| {
        let entry = answer(volume, &who, (&dir, lower_dir.as_fd()), name, &meta, Effort::Look)?;
        let file = volume.known(entry.node)?;
        file.set_owner(Owner::from(owner.clone()));
        Ok((entry, file))
    });
    match made {
        Ok((entry, file)) => {
            if name == b".nomedia" {
                hide_below(volume, &dir, true);
            }
            Ok((entry, file, fd))
        }
        Err(error) => {
            // Ownership could not be recorded: the file must not stay as nobody's.
            let _ = volume.lower.unlink(lower_dir.as_fd(), name);
            if !subject.is_invisible() {
                volume.catalog.remove(volume.key_of(&subject));
            }
            Err(error)
        }
    }
}

/// Records the owner where it survives everything before the create is answered.
fn record(
    volume: &Volume,
    subject: &Subject,
    dir: &Arc<File>,
    fd: &OwnedFd,
    (creator, owner): (Option<&Arc<str>>, Option<&Arc<str>>),
) -> Result<Meta, OpError> {
    if let Some(creator) = creator
        && volume.lower.has_xattrs()
    {
        lower::set_owner(fd.as_fd(), creator)?;
    }
    let meta = Meta::of(fd.as_fd())?;
    if !subject.is_invisible() {
        let hidden = volume.is_hidden(subject, Some(dir));
        let row = volume.row_of(subject, owner.cloned(), &meta, hidden);
        if volume.lower.has_xattrs() {
            volume.catalog.upsert(volume.key_of(subject), row);
            volume.has_row(meta.id, subject.lower_path());
        } else {
            volume.catalog.upsert_now(volume.key_of(subject), row).map_err(|_| OpError::Index)?;
        }
    }
    Ok(meta)
}

/// A `.nomedia` came or went: what is below the directory is media no longer, or again.
pub(super) fn hide_below(volume: &Volume, dir: &Arc<File>, came: bool) {
    dir.set_nomedia(Some(came));
    let Ok(place) = volume.place_of(dir) else { return };
    let hidden = volume.is_hidden_dir(dir, place.path());
    volume.hide_in_index(&place, hidden);
}
