//! ACCESS.

use std::os::fd::AsFd;

use mediagate_policy::{AccessMask, Errno, Operation};

use super::{Caller, OpError, links};
use crate::node::{NodeId, View};
use crate::volume::Volume;

/// `access(2)`: what OPEN would say.
pub fn access(volume: &Volume, caller: Caller, node: NodeId, mask: AccessMask) -> Result<(), OpError> {
    if let Some(dir) = node.virtual_dir() {
        return links::access(volume, caller, dir, mask);
    }
    let file = volume.known(node)?;
    let place = volume.place_of(&file)?;
    let fd = volume.open(&file, place.lower_path())?;
    let subject = volume.subject_of(&file, Some(fd.as_fd()))?;
    let who = volume.access.who(caller.uid);
    if node.view() == View::Forced && (mask.read || mask.write || mask.execute) {
        if mask.write || mask.execute {
            return Err(OpError::Denied(Errno::Eacces));
        }
        return links::check_read(volume, &who, &subject);
    }
    volume.access.check(&who, &subject, Operation::Access(mask))?;
    Ok(())
}
