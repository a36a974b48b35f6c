//! MKDIR and RMDIR.

use std::os::fd::AsFd;

use mediagate_policy::Operation;

use super::lookup::{Effort, answer, is_unserved_user};
use super::{Caller, Entry, OpError};
use crate::lower::{FileKind, Meta};
use crate::node::NodeId;
use crate::volume::Volume;

/// Makes a directory.
pub fn mkdir(volume: &Volume, caller: Caller, parent: NodeId, name: &[u8]) -> Result<Entry, OpError> {
    let dir = volume.known(parent)?;
    let who = volume.access.who(caller.uid);
    let subject = volume.subject_at(&dir, name, FileKind::Directory).ok_or(OpError::NotPermitted)?;
    volume.access.check(&who, &subject, Operation::MakeDir)?;
    if is_unserved_user(volume, &subject) {
        return Err(OpError::NotPermitted);
    }
    let _filling = volume.fill(&dir, &subject)?;
    let lower_dir = volume.open_dir(&dir)?;
    volume.lower.make_dir(lower_dir.as_fd(), name)?;
    volume.count_app_dir(lower_dir.as_fd(), name, &subject, caller.uid);
    answer(volume, &who, (&dir, lower_dir.as_fd()), name, &Meta::at(lower_dir.as_fd(), name)?, Effort::Look)
}

/// Removes an empty directory; one that is not empty stays, even if the caller sees nothing in it.
pub fn rmdir(volume: &Volume, caller: Caller, parent: NodeId, name: &[u8]) -> Result<(), OpError> {
    let dir = volume.known(parent)?;
    let who = volume.access.who(caller.uid);
    let subject = volume.subject_at(&dir, name, FileKind::Directory).ok_or(OpError::NoEntry)?;
    volume.access.check(&who, &subject, Operation::RemoveDir)?;
    let lower_dir = volume.open_dir(&dir)?;
    let meta = Meta::at(lower_dir.as_fd(), name)?;
    let known = volume.known_name(&dir, lower_dir.as_fd(), name, &meta)?;
    let known = volume.subject_at(&dir, &known, FileKind::Directory).ok_or(OpError::NoEntry)?;
    volume.lower.remove_dir(lower_dir.as_fd(), name)?;
    if let Some(removed) = volume.nodes.find(meta.id) {
        volume.forget_other_spelling(&removed, &dir, name);
        removed.mark_removed();
    }
    // Rows of files that were removed behind the mount.
    volume.catalog.remove_dir(volume.key, known.user_number(), known.path().to_vec());
    Ok(())
}
