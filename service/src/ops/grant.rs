//! Finding the file that a grant is about.

use std::os::fd::{AsFd, OwnedFd};

use mediagate_policy::{Kind, MediaType};

use super::OpError;
use super::explain::resolve;
use crate::access::FileId;
use crate::catalog::FileKey;
use crate::control::ControlError;
use crate::lower::{FileKind, Meta};
use crate::volume::Volume;

/// A file that can be granted.
#[derive(Debug)]
pub struct Grantable {
    /// Where the index has it.
    pub key: FileKey,
    /// Which file it is.
    pub id: FileId,
    /// Open, so that its inode number stays its own.
    fd: OwnedFd,
}

impl Grantable {
    /// True once its last name is gone.
    pub fn is_gone(&self) -> bool {
        Meta::of(self.fd.as_fd()).is_ok_and(|meta| meta.nlink == 0)
    }
}

/// The file at `path`, relative to the volume's lower root; it is in the index when this returns.
pub fn grantable(volume: &Volume, path: &[u8]) -> Result<Grantable, ControlError> {
    let failed = |error: OpError| ControlError::Failed(format!("cannot look at the file: {error}"));
    if !volume.lower.has_xattrs() {
        return Err(ControlError::Failed(format!(
            "the lower file system of volume {:?} does not tell a file from a later one of the same name (vfat and \
             exfat number their inodes as they come); give the app a permission instead",
            volume.name
        )));
    }
    let target = resolve(volume, path, FileKind::File)?;
    let subject = target.subject;
    if target.file.is_none() {
        return Err(ControlError::NotFound("there is no such file; a grant or link needs one".into()));
    }
    if subject.object().kind == Kind::Directory {
        return Err(ControlError::Invalid("it is a directory; grants and links are for files".into()));
    }
    let Some(facts) = subject.row().filter(|_| !subject.is_invisible()) else {
        return Err(ControlError::Invalid(
            "files there are not indexed: they are the business of the package that the path names".into(),
        ));
    };
    let fd = volume.lower.open_path(subject.lower_path()).map_err(|error| failed(error.into()))?;
    let meta = Meta::of(fd.as_fd()).map_err(|error| failed(error.into()))?;
    let id = volume.file_id(meta.id);
    if meta.kind != FileKind::File || facts.file != Some(id) {
        return Err(ControlError::Failed("the file is being replaced; try again".into()));
    }
    if id.generation == 0 {
        return Err(ControlError::Failed(format!(
            "the lower file system of volume {:?} keeps no birth times, so that a file cannot be told from a later one",
            volume.name
        )));
    }
    let key = volume.key_of(&subject);
    let unindexed = |_| failed(OpError::Index);
    volume.catalog.flush_volume(volume.key).map_err(unindexed)?;
    let known = volume.catalog.file(&key).map_err(unindexed)?;
    if known.as_ref().is_none_or(|row| !volume.describes(row, &meta)) {
        let hidden = facts.media_type == MediaType::None;
        volume.index_again(fd.as_fd(), &subject, facts.owner.clone(), &meta, hidden, known.as_ref());
    }
    Ok(Grantable { key, id, fd })
}

/// Where the index has, or had, the file at `path`, which need not exist, and which file is there now.
pub fn grant_place(volume: &Volume, path: &[u8]) -> Result<(FileKey, Option<FileId>), ControlError> {
    let target = resolve(volume, path, FileKind::File)?;
    let file = target.file.as_ref().filter(|file| file.kind == FileKind::File);
    Ok((volume.key_of(&target.subject), file.map(|file| volume.file_id(file.id))))
}
