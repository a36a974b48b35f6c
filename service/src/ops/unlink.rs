//! UNLINK.

use std::os::fd::AsFd;

use mediagate_policy::Operation;

use super::create::hide_below;
use super::{Caller, OpError};
use crate::lower::{FileKind, Meta};
use crate::node::NodeId;
use crate::volume::Volume;

/// Removes a file.
pub fn unlink(volume: &Volume, caller: Caller, parent: NodeId, name: &[u8]) -> Result<(), OpError> {
    let dir = volume.known(parent)?;
    let lower_dir = volume.open_dir(&dir)?;
    let meta = Meta::at(lower_dir.as_fd(), name)?;
    if meta.kind != FileKind::File {
        return Err(OpError::IsDirectory);
    }
    let known = volume.known_name(&dir, lower_dir.as_fd(), name, &meta)?;
    let found = volume.enter(&dir, lower_dir.as_fd(), &known, &meta)?;
    let pin = volume.pin(found.file(), lower_dir.as_fd(), name)?;
    let subject = volume.subject_of(found.file(), pin.as_ref().map(AsFd::as_fd))?;
    let who = volume.access.who(caller.uid);
    volume.access.check(&who, &subject, Operation::Unlink)?;
    volume.lower.unlink(lower_dir.as_fd(), name)?;
    volume.forget_other_spelling(found.file(), &dir, name);
    found.file().mark_removed();
    volume.access.grants().forget(volume.file_id(meta.id));
    drop(pin);
    if !subject.is_invisible() {
        volume.catalog.remove(volume.key_of(&subject));
        volume.settle_index()?;
    }
    if *known == *b".nomedia" {
        hide_below(volume, &dir, false);
    }
    Ok(())
}
