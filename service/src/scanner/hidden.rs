//! Whether a file is hidden for what is above it, as the lower tree says.

use std::os::fd::AsFd;

use crate::access::{Subject, nomedia_counts_in};
use crate::lower::{FileKind, Meta};
use crate::volume::Volume;

/// Whether what is above a file hides it.
pub(super) fn is_hidden(volume: &Volume, file: &Subject) -> bool {
    is_hidden_tree(file.dir()) || is_below_nomedia(volume, file)
}

/// Whether the name of a directory, or of one above it, hides what is in it (see `is_hidden_by_name` of the policy: the
/// names that expire hide nothing as files only).
pub(super) fn is_hidden_tree(dir: &[u8]) -> bool {
    dir.split(|byte| *byte == b'/').any(|name| name.starts_with(b"."))
}

/// Whether a `.nomedia` in a directory above `place` hides it.
pub(super) fn is_below_nomedia(volume: &Volume, place: &Subject) -> bool {
    let before = place.lower_path().strip_suffix(place.path()).unwrap_or_default();
    let slashes = place.path().iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    slashes.filter_map(|at| place.path().get(..at)).filter(|dir| nomedia_counts_in(dir)).any(|dir| {
        let mark = [before, dir, b"/.nomedia"].concat();
        let meta = volume.lower.open_path(&mark).and_then(|fd| Meta::of(fd.as_fd()));
        meta.is_ok_and(|meta| meta.kind == FileKind::File)
    })
}
