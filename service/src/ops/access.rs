//! ACCESS.

use std::os::fd::AsFd;

use mediagate_policy::{AccessMask, Operation};

use super::{Caller, OpError};
use crate::node::NodeId;
use crate::volume::Volume;

/// `access(2)`: what OPEN would say.
pub fn access(volume: &Volume, caller: Caller, node: NodeId, mask: AccessMask) -> Result<(), OpError> {
    let file = volume.nodes.get(node).ok_or(OpError::Stale)?;
    let place = volume.place_of(&file)?;
    let fd = volume.open(&file, place.lower_path())?;
    let subject = volume.subject_of(&file, Some(fd.as_fd()))?;
    let who = volume.access.who(caller.uid);
    volume.access.check(&who, &subject, Operation::Access(mask))?;
    Ok(())
}
