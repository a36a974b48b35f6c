//! What the kernel says of mounts: `mountinfo` (proc_pid_mountinfo(5)). Looking there asks no file system anything.

/// One mount of a mount namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountLine {
    /// Its number, and that of the mount that it is on.
    pub id: u64,
    /// See `id`.
    pub parent: u64,
    /// The device number of its file system.
    pub device: u64,
    /// Which directory of the file system is its root.
    pub root: Vec<u8>,
    /// Where it is mounted, seen from the root of who asked.
    pub at: Vec<u8>,
    /// The type of its file system.
    pub kind: String,
    /// What the file system is made of, as it says.
    pub source: Vec<u8>,
}

/// All mounts in the text of a `mountinfo`; what is on top of another one comes after it.
pub fn mounts(text: &[u8]) -> impl DoubleEndedIterator<Item = MountLine> {
    text.split(|byte| *byte == b'\n').filter_map(mount_line)
}

fn mount_line(line: &[u8]) -> Option<MountLine> {
    let mut fields = line.split(|byte| *byte == b' ');
    let (id, parent) = (number(fields.next()?)?, number(fields.next()?)?);
    let (major, minor) = std::str::from_utf8(fields.next()?).ok()?.split_once(':')?;
    let device = rustix::fs::makedev(major.parse().ok()?, minor.parse().ok()?);
    let (root, at) = (unescaped(fields.next()?), unescaped(fields.next()?));
    let mut after = fields.skip_while(|it| *it != b"-").skip(1);
    let kind = String::from_utf8(after.next()?.to_vec()).ok()?;
    let source = after.next().map(unescaped).unwrap_or_default();
    Some(MountLine { id, parent, device, root, at, kind, source })
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Blanks, line breaks and backslashes are written as three octal digits.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..3).filter(|_| *first == b'\\').and_then(|it| std::str::from_utf8(it).ok());
        match code.and_then(|it| u8::from_str_radix(it, 8).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let text = b"36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - fuse.mediagate mediagate:a\\134b rw\n\
            37 36 0:53 / /x rw - tmpfs none rw\n36 35 98:0 /\nnonsense\n";
        let all: Vec<_> = mounts(text).collect();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].id, all[0].parent, all[0].device), (36, 35, rustix::fs::makedev(98, 0)));
        assert_eq!((&all[0].root[..], &all[0].at[..]), (&b"/mnt1"[..], &b"/mnt 2"[..]));
        assert_eq!((&all[0].kind[..], &all[0].source[..]), ("fuse.mediagate", &b"mediagate:a\\b"[..]));
        assert_eq!((&all[1].kind[..], &all[1].source[..]), ("tmpfs", &b"none"[..]));
    }
}
