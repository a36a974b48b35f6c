//! The object of a decision: a place on a volume and what is known about it, owned.

use std::sync::Arc;

use mediagate_policy::{
    AndroidDir, FileGrants, Kind, MediaType, NameState, Object, Place, Row, UserId, VolumeKind,
    is_never_indexed, media_type_at, mime_of, name_depends_on_caller, name_state,
};

use super::grants::FileId;

/// What is known about an indexed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFacts {
    /// The owner package.
    pub owner: Option<Arc<str>>,
    /// Media type; none for hidden files.
    pub media_type: MediaType,
    /// The file itself, for grants on it; `None` where it is known that the caller holds none.
    pub file: Option<FileId>,
}

/// A place on a volume, with facts.
#[derive(Clone, Debug)]
pub struct Subject {
    volume: VolumeKind,
    lower_path: Vec<u8>,
    /// Where in `lower_path` the part below the user's root begins.
    start: usize,
    user: Option<UserId>,
    mount_root: bool,
    kind: Kind,
    row: Option<RowFacts>,
}

impl Subject {
    /// From the path below the lower root. `None` for a name directly in an emulated volume's root that is no user.
    pub fn new(volume: VolumeKind, lower_path: Vec<u8>, kind: Kind) -> Option<Subject> {
        let (start, user, mount_root) = match volume {
            VolumeKind::Public => (0, None, false),
            VolumeKind::Emulated if lower_path.is_empty() => (0, None, true),
            VolumeKind::Emulated => {
                let end = lower_path.iter().position(|b| *b == b'/').unwrap_or(lower_path.len());
                let user = parse_user(lower_path.get(..end)?)?;
                ((end + 1).min(lower_path.len()), Some(UserId(user)), false)
            }
        };
        Some(Subject { volume, lower_path, start, user, mount_root, kind, row: None })
    }

    /// With what the index knows.
    #[must_use]
    pub fn with_row(mut self, row: Option<RowFacts>) -> Subject {
        self.row = row;
        self
    }

    /// As the policy takes it, of a caller without grants.
    pub fn object(&self) -> Object<'_> {
        self.object_with(|_| FileGrants::NONE)
    }

    /// As the policy takes it, with what `grants` says of the file.
    pub(super) fn object_with(&self, grants: impl FnOnce(FileId) -> FileGrants) -> Object<'_> {
        Object {
            volume: self.volume,
            user: self.user,
            path: self.path(),
            mount_root: self.mount_root,
            kind: self.kind,
            row: self.row.as_ref().map(|row| {
                let state = name_state(self.name());
                Row {
                    owner: row.owner.as_deref(),
                    media_type: row.media_type,
                    pending: state == NameState::Pending,
                    trashed: state == NameState::Trashed,
                    grants: row.file.map_or(FileGrants::NONE, grants),
                }
            }),
        }
    }

    /// Path below the user's root.
    pub fn path(&self) -> &[u8] {
        self.lower_path.get(self.start..).unwrap_or_default()
    }

    /// Path below the volume's lower root.
    pub fn lower_path(&self) -> &[u8] {
        &self.lower_path
    }

    /// The user whose tree it is in; 0 on public volumes, which all users share.
    pub fn user_number(&self) -> u32 {
        self.user.map_or(0, |user| user.0)
    }

    /// True for the root of a user's tree on an emulated volume.
    pub fn is_user_root(&self) -> bool {
        self.user.is_some() && self.path().is_empty()
    }

    /// True for a name at the top of the mount: a user's directory, or what is directly in a public volume.
    pub fn is_top(&self) -> bool {
        match self.volume {
            VolumeKind::Emulated => self.is_user_root(),
            VolumeKind::Public => !self.lower_path.contains(&b'/'),
        }
    }

    /// True for the directory above the users.
    pub fn is_mount_root(&self) -> bool {
        self.mount_root
    }

    /// What is known about the file.
    pub fn row(&self) -> Option<&RowFacts> {
        self.row.as_ref()
    }

    /// The last component of the path.
    pub fn name(&self) -> &[u8] {
        self.path().rsplit(|b| *b == b'/').next().unwrap_or_default()
    }

    /// The directory part of the path.
    pub fn dir(&self) -> &[u8] {
        let path = self.path();
        path.iter().rposition(|b| *b == b'/').and_then(|slash| path.get(..slash)).unwrap_or_default()
    }

    /// True where files are never indexed: apps' private directories, `.transforms`, thumbnails.
    pub fn is_invisible(&self) -> bool {
        is_never_indexed(self.path())
    }

    /// True where who may see a name depends on the caller, so that the kernel must ask each time.
    pub fn depends_on_caller(&self) -> bool {
        name_depends_on_caller(self.path())
    }

    /// The package that a file belongs to by its place alone: below `Android/media/<package>` (what the scanner
    /// records for files that nobody created through the mount, mediaprovider.md §3.5).
    pub fn owner_by_place(&self) -> Option<Arc<str>> {
        match Place::of(self.path()) {
            Place::AndroidPackage { dir: AndroidDir::Media, package, itself: false } => {
                std::str::from_utf8(package).ok().map(Arc::from)
            }
            _ => None,
        }
    }

    /// True for a directory below which files may belong to packages by [`Subject::owner_by_place`].
    pub fn holds_owners_by_place(&self) -> bool {
        matches!(
            Place::of(self.path()),
            Place::AndroidTop(AndroidDir::Media) | Place::AndroidPackage { dir: AndroidDir::Media, .. }
        )
    }

    /// The MIME type of its name.
    pub fn mime(&self) -> &'static str {
        mime_of(self.name())
    }

    /// The media type by its path, if nothing else hides it.
    pub fn media_type(&self, hidden: bool) -> MediaType {
        media_type_at(self.path(), hidden)
    }
}

/// A user directory's name: decimal, as the number prints.
fn parse_user(name: &[u8]) -> Option<u32> {
    // What a number prints as has no sign, and no zero before it.
    match name {
        [b'0'] => Some(0),
        [b'1'..=b'9', ..] => std::str::from_utf8(name).ok()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(volume: VolumeKind, path: &str) -> Option<Subject> {
        Subject::new(volume, path.into(), Kind::File)
    }

    #[test]
    fn an_emulated_path_begins_with_its_user() {
        let photo = subject(VolumeKind::Emulated, "10/DCIM/a.jpg").unwrap();
        assert_eq!(
            (photo.user_number(), photo.path(), photo.dir(), photo.name()),
            (10, &b"DCIM/a.jpg"[..], &b"DCIM"[..], &b"a.jpg"[..])
        );
        assert!(subject(VolumeKind::Emulated, "10").unwrap().is_user_root());
        assert!(subject(VolumeKind::Emulated, "").unwrap().object().mount_root);
        for stranger in ["obb", "010", "+1", "-1", "4294967296", "0x0", " 0"] {
            assert!(subject(VolumeKind::Emulated, stranger).is_none(), "{stranger}");
        }
        assert_eq!(subject(VolumeKind::Public, "10/a").unwrap().path(), b"10/a");
    }
}
