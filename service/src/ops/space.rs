//! STATFS.

use rustix::fs::StatVfs;

use super::OpError;
use crate::volume::Volume;

/// Space on the lower file system: the same for every caller.
pub fn statfs(volume: &Volume) -> Result<StatVfs, OpError> {
    Ok(volume.lower.space()?)
}
