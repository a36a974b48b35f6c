//! From lower attributes to wire attributes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{FileAttr, FileType, INodeNo, TimeOrNow};

use crate::lower::{FileKind, Meta, Time};
use crate::node::NodeId;

/// The attributes of `node`. What `stat` shows as inode number is the node id: the protocol knows one number only.
pub(super) fn attributes(node: NodeId, meta: &Meta) -> FileAttr {
    FileAttr {
        ino: INodeNo(node.0),
        size: meta.size,
        blocks: meta.blocks,
        atime: system_time(meta.atime),
        mtime: system_time(meta.mtime),
        ctime: system_time(meta.ctime),
        crtime: UNIX_EPOCH,
        kind: file_type(meta.kind),
        perm: meta.mode,
        nlink: meta.nlink,
        uid: meta.uid,
        gid: meta.gid,
        rdev: 0,
        blksize: meta.blksize,
        flags: 0,
    }
}

/// The wire's name of a kind.
pub(super) fn file_type(kind: FileKind) -> FileType {
    match kind {
        FileKind::File => FileType::RegularFile,
        FileKind::Directory => FileType::Directory,
    }
}

fn system_time((seconds, nanos): (i64, u32)) -> SystemTime {
    let nanos = Duration::from_nanos(nanos.into());
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let base = if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
    base.and_then(|base| base.checked_add(nanos)).unwrap_or(UNIX_EPOCH)
}

/// A time to set.
pub(super) fn time(time: TimeOrNow) -> Time {
    match time {
        TimeOrNow::Now => Time::Now,
        TimeOrNow::SpecificTime(at) => match at.duration_since(UNIX_EPOCH) {
            Ok(since) => Time::At(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos()),
            Err(before) => {
                let before = before.duration();
                let seconds = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
                match before.subsec_nanos() {
                    0 => Time::At(-seconds, 0),
                    nanos => Time::At(-seconds - 1, 1_000_000_000 - nanos),
                }
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_the_way_there_and_back() {
        for at in [(0, 0), (1, 999_999_999), (-1, 0), (-2, 500_000_000), (4_102_444_800, 7)] {
            let (seconds, nanos) = at;
            assert_eq!(time(TimeOrNow::SpecificTime(system_time(at))), Time::At(seconds, nanos));
        }
    }
}
