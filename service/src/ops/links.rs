//! Links: `.transforms/synthetic/redacted/RUID<32 hex>`, the redacted view of a file under a name for sharing
//! (MediaProvider's redacted URIs, mediaprovider.md §1.15 and §4.3). It shows no location to anybody: not to the owner, not to
//! who may see locations, not to root.
//!
//! * The directories on the way are made up where the lower file system has none of the name. They are found by name,
//!   never listed, and nothing is made in them. A lower directory of the name is what it always was, but for the names of links.
//! * A link is a node of its own (`View::Forced`) of the very [`crate::node::File`] that its path leads to, so that whoever
//!   writes the file is counted for it too. The kernel asks for the name each time.
//! * Finding a link takes its name, 128 random bits. Reading by it takes more: that the caller may read the file, or that
//!   the link was given to it. That it was given is no right to the file itself.

use std::io::Read as _;
use std::os::fd::AsFd;
use std::time::Duration;

use mediagate_policy::{AccessMask, Kind, MediaType, Operation, VolumeKind, mime_of};

use super::{Caller, Entry, OpError, grantable};
use crate::access::{Subject, Who};
use crate::catalog::{LinkName, LinkPlace, NewLink};
use crate::control::ControlError;
use crate::lower::{FileKind, Id, Meta};
use crate::node::{Found, VirtualDir};
use crate::volume::Volume;

/// The directories on the way, from the user's root.
const WAY: [&str; 3] = [".transforms", "synthetic", "redacted"];
/// What a link's name begins with.
const PREFIX: &[u8] = b"RUID";
/// No longer extension is taken for one.
const LONGEST_EXTENSION: usize = 16;

/// The path of a directory on the way, below its user's root.
fn way(depth: u8) -> Vec<u8> {
    WAY.iter().take(depth.into()).map(|it| it.as_bytes()).collect::<Vec<_>>().join(&b'/')
}

/// The directory on the way that a path is of.
pub(super) fn virtual_dir(subject: &Subject) -> Option<VirtualDir> {
    let depth = (1..=3).find(|depth| way(*depth) == subject.path())?;
    Some(VirtualDir { user: subject.user_number(), depth })
}

/// The link that a path is of.
pub(super) fn link_name(subject: &Subject) -> Option<LinkName> {
    (subject.dir() == way(3)).then(|| parse(subject.name())).flatten()
}

/// `RUID`, 32 hexadecimal digits in any case, and any short extension, for who goes by that.
fn parse(name: &[u8]) -> Option<LinkName> {
    let (digits, extension) = name.strip_prefix(PREFIX)?.split_at_checked(32)?;
    match extension {
        [] => {}
        [b'.', rest @ ..] if !rest.is_empty() && rest.len() <= LONGEST_EXTENSION => {
            rest.iter().all(u8::is_ascii_alphanumeric).then_some(())?;
        }
        _ => return None,
    }
    let digits = std::str::from_utf8(digits).ok().filter(|it| it.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes)
}

/// Something in or on the way, as the object of a decision.
fn subject_of(volume: &Volume, dir: VirtualDir, name: Option<&[u8]>) -> Result<Subject, OpError> {
    let user = dir.user.to_string();
    let way = way(dir.depth);
    let mut parts: Vec<&[u8]> = Vec::new();
    parts.extend((volume.kind == VolumeKind::Emulated).then_some(user.as_bytes()));
    parts.push(&way);
    parts.extend(name);
    let kind = if name.is_some() { Kind::File } else { Kind::Directory };
    Subject::new(volume.kind, parts.join(&b'/'), kind).ok_or(OpError::NoEntry)
}

/// Resolves a name in a directory on the way.
pub(super) fn lookup_in(
    volume: &Volume,
    caller: Caller,
    dir: VirtualDir,
    name: &[u8],
) -> Result<Entry, OpError> {
    let subject = subject_of(volume, dir, Some(name))?;
    volume.access.check(&volume.access.who(caller.uid), &subject, Operation::Lookup)?;
    if let Some(link) = link_name(&subject) {
        return resolve(volume, &subject, link);
    }
    virtual_dir(&subject).map(entry).ok_or(OpError::NoEntry)
}

/// The answer to a lookup of a directory on the way. The name is asked for each time: a lower directory of that name takes the
/// place of this one as soon as it is there.
pub(super) fn entry(dir: VirtualDir) -> Entry {
    Entry { node: dir.node(), meta: meta(dir), entry_ttl: Duration::ZERO, attr_ttl: Duration::ZERO }
}

/// Made up, and the same each time.
fn meta(dir: VirtualDir) -> Meta {
    Meta {
        id: Id { ino: dir.node().0, generation: 0 },
        kind: FileKind::Directory,
        mode: 0o555,
        nlink: 2,
        uid: 0,
        gid: 0,
        size: 0,
        blocks: 0,
        blksize: 4096,
        atime: (0, 0),
        mtime: (0, 0),
        ctime: (0, 0),
    }
}

/// Attributes of a directory on the way.
pub(super) fn getattr(volume: &Volume, caller: Caller, dir: VirtualDir) -> Result<(Meta, Duration), OpError> {
    let subject = subject_of(volume, dir, None)?;
    volume.access.check(&volume.access.who(caller.uid), &subject, Operation::GetAttr)?;
    Ok((meta(dir), Duration::ZERO))
}

/// `access(2)` on a directory on the way: nobody lists it or makes anything in it.
pub(super) fn access(
    volume: &Volume,
    caller: Caller,
    dir: VirtualDir,
    mask: AccessMask,
) -> Result<(), OpError> {
    let subject = subject_of(volume, dir, None)?;
    volume.access.check(&volume.access.who(caller.uid), &subject, Operation::Access(mask))?;
    if mask.read || mask.write { Err(OpError::NotPermitted) } else { Ok(()) }
}

/// The forced view of the file that a link leads to, in the tree that the name was looked up in.
pub(super) fn resolve(volume: &Volume, subject: &Subject, link: LinkName) -> Result<Entry, OpError> {
    // What was renamed or removed before this lookup began.
    volume.catalog.flush_volume(volume.key).map_err(|_| OpError::Index)?;
    let place = volume.catalog.link(&link).map_err(|_| OpError::Index)?;
    let here =
        |place: &LinkPlace| place.file.volume == volume.key && place.file.user == subject.user_number();
    let place = place.filter(here).ok_or(OpError::NoEntry)?;
    let (found, meta) = match walk(volume, &place) {
        Err(OpError::Lower(error)) if error.is_not_found() => return Err(OpError::NoEntry),
        Err(OpError::Stale | OpError::NotDirectory) => return Err(OpError::NoEntry),
        walked => walked?,
    };
    if meta.kind != FileKind::File || meta.id != (Id { ino: place.ino, generation: place.birth }) {
        return Err(OpError::NoEntry);
    }
    let node = volume.nodes.enter_link(found.file());
    Ok(Entry { node, meta, entry_ttl: Duration::ZERO, attr_ttl: Duration::ZERO })
}

/// Enters a file and the directories above it as lookups would.
fn walk<'a>(volume: &'a Volume, place: &LinkPlace) -> Result<(Found<'a>, Meta), OpError> {
    let user = place.file.user.to_string();
    let dirs = place.file.dir.split(|b| *b == b'/').filter(|name| !name.is_empty());
    let user = (volume.kind == VolumeKind::Emulated).then_some(user.as_bytes());
    let mut dir = volume.nodes.root().clone();
    for name in user.into_iter().chain(dirs) {
        let lower = volume.open_dir(&dir)?;
        let meta = Meta::at(lower.as_fd(), name)?;
        let found = volume.enter(&dir, lower.as_fd(), name, &meta)?;
        dir = found.file().clone();
    }
    let lower = volume.open_dir(&dir)?;
    let meta = Meta::at(lower.as_fd(), &place.file.name)?;
    Ok((volume.enter(&dir, lower.as_fd(), &place.file.name, &meta)?, meta))
}

/// Whether the caller may read by the link of a file.
pub(super) fn check_read(volume: &Volume, who: &Who, subject: &Subject) -> Result<(), OpError> {
    if volume.access.reads_if_granted(who, subject) && is_given(volume, who, subject)? {
        return Ok(());
    }
    volume.access.check(who, subject, Operation::OpenRead)?;
    Ok(())
}

fn is_given(volume: &Volume, who: &Who, subject: &Subject) -> Result<bool, OpError> {
    // Who may read the file anyway need not have been given anything.
    if volume.access.explain(who, subject, Operation::OpenRead).grant().is_ok() {
        return Ok(false);
    }
    let Some(file) = subject.row().and_then(|row| row.file) else { return Ok(false) };
    let place = LinkPlace { file: volume.key_of(subject), ino: file.ino, birth: file.generation };
    volume.catalog.flush_volume(volume.key).map_err(|_| OpError::Index)?;
    for package in &who.packages {
        let given = volume.catalog.is_link_reader(&place, package, who.user().0);
        if given.map_err(|_| OpError::Index)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The path, below the volume's root, of the link of the picture, video or sound file at `path`; it is made if there is none,
/// and given to `reader`.
pub fn make_link(volume: &Volume, path: &[u8], reader: Option<(&str, u32)>) -> Result<Vec<u8>, ControlError> {
    let target = grantable(volume, path)?;
    let media = MediaType::of_mime(mime_of(&target.key.name));
    if !matches!(media, MediaType::Image | MediaType::Video | MediaType::Audio) {
        return Err(ControlError::Invalid(
            "links are for pictures, videos and sound files; the name says that it is none".into(),
        ));
    }
    let failed =
        |error: &dyn std::fmt::Display| ControlError::Failed(format!("cannot make the link: {error}"));
    let mut name = LinkName::default();
    std::fs::File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut name))
        .map_err(|error| failed(&error))?;
    let user = target.key.user;
    let made = volume.catalog.put_link(NewLink {
        file: target.key.clone(),
        ino: target.id.ino,
        birth: target.id.generation,
        name,
        reader: reader.map(|(package, user)| (package.into(), user)),
    });
    let name = made
        .map_err(|error| failed(&error))?
        .ok_or_else(|| ControlError::NotFound("the file was moved or removed meanwhile; try again".into()))?;
    let file = format!("RUID{:032x}", u128::from_be_bytes(name));
    let subject = subject_of(volume, VirtualDir { user, depth: 3 }, Some(file.as_bytes()));
    subject.map(|subject| subject.lower_path().to_vec()).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_links() {
        let digits = "00112233445566778899aabbccddeeff";
        let number = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes();
        for name in
            [format!("RUID{digits}"), format!("RUID{}", digits.to_uppercase()), format!("RUID{digits}.jpg")]
        {
            assert_eq!(parse(name.as_bytes()), Some(number), "{name}");
        }
        for name in [
            String::new(),
            "RUID".into(),
            digits.into(),
            format!("ruid{digits}"),
            format!("RUID{digits}0"),
            format!("RUID{}", &digits[1..]),
            format!("RUID+{}", &digits[1..]),
            format!("RUID{digits}."),
            format!("RUID{digits}.a.b"),
            format!("RUID{digits}.{digits}"),
            format!("RUID{digits}.j/g"),
            format!("RUIDg{}", &digits[1..]),
        ] {
            assert_eq!(parse(name.as_bytes()), None, "{name}");
        }
        assert_eq!(parse(b"RUID\xff0112233445566778899aabbccddeeff"), None);
    }

    #[test]
    fn the_way_is_in_each_tree() {
        let at = |kind, path: &str| virtual_dir(&Subject::new(kind, path.into(), Kind::Directory).unwrap());
        let dir = |user, depth| Some(VirtualDir { user, depth });
        assert_eq!(at(VolumeKind::Emulated, "10/.transforms"), dir(10, 1));
        assert_eq!(at(VolumeKind::Emulated, "10/.transforms/synthetic/redacted"), dir(10, 3));
        assert_eq!(at(VolumeKind::Public, ".transforms/synthetic"), dir(0, 2));
        for path in ["10/DCIM/.transforms", "10/.transforms/x", "10", "10/.transforms/synthetic/redacted/x"] {
            assert_eq!(at(VolumeKind::Emulated, path), None, "{path}");
        }
    }
}
