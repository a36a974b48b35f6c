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

/// The attributes that go with a name that nothing has: the node id 0 says it, the rest does not count.
pub(super) fn of_nothing() -> FileAttr {
    FileAttr {
        ino: INodeNo(0),
        size: 0,
        blocks: 0,
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind: FileType::RegularFile,
        perm: 0,
        nlink: 0,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 0,
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
            // The library takes the nanoseconds of a time before 1970 away from the seconds, though they count forward
            // from them (fuser 0.18.0, time.rs; mended upstream in fuser#705): its two numbers are those of the wire.
            Err(before) => {
                let sent = before.duration();
                Time::At(-i64::try_from(sent.as_secs()).unwrap_or(i64::MAX), sent.subsec_nanos())
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_to_set_are_those_of_the_wire() {
        for (seconds, nanos) in [(0, 0), (1, 999_999_999), (-1, 0), (-2, 500_000_000), (4_102_444_800, 7)] {
            // As the library decodes it.
            let sent = Duration::new(i64::unsigned_abs(seconds), nanos);
            let decoded = if seconds < 0 { UNIX_EPOCH - sent } else { UNIX_EPOCH + sent };
            assert_eq!(time(TimeOrNow::SpecificTime(decoded)), Time::At(seconds, nanos));
        }
    }

    #[test]
    fn times_to_show_count_forward() {
        assert_eq!(system_time((-2, 500_000_000)), UNIX_EPOCH - Duration::from_millis(1500));
        assert_eq!(system_time((1, 1)), UNIX_EPOCH + Duration::new(1, 1));
    }
}
