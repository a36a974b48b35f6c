//! Which directories of all volumes lie within one another.
//!
//! A mount inside a lower directory, or the other way round, would make the service walk into itself; a directory
//! that two volumes share would have two owners of its files. Paths are compared as the system resolves them, and
//! existing directories by device and inode too, so that neither a symlink nor a bind mount hides an overlap.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Which of a volume's two directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Lower,
    Mount,
}

impl Role {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Role::Lower => "lower",
            Role::Mount => "mount",
        }
    }
}

/// Two directories that collide; noted at the later of the two.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Collision {
    /// Number of the volume, as [`Map::add`] gave it.
    pub(super) volume: usize,
    pub(super) role: Role,
    pub(super) text: String,
}

#[derive(Debug)]
struct Directory {
    volume: usize,
    role: Role,
    written: PathBuf,
    place: Place,
}

/// The directories of all volumes.
#[derive(Debug, Default)]
pub(super) struct Map {
    names: Vec<String>,
    directories: Vec<Directory>,
}

impl Map {
    /// Adds a volume with what is known of it and returns its number.
    pub(super) fn add(&mut self, name: &str, lower: Option<&Path>, mount: Option<&Path>) -> usize {
        let volume = self.names.len();
        self.names.push(name.to_owned());
        for (role, path) in [(Role::Lower, lower), (Role::Mount, mount)] {
            if let Some(path) = path {
                let place = Place::of(path);
                self.directories.push(Directory { volume, role, written: path.to_owned(), place });
            }
        }
        volume
    }

    /// Every pair that collides.
    pub(super) fn collisions(&self) -> Vec<Collision> {
        let mut found = Vec::new();
        for (index, later) in self.directories.iter().enumerate() {
            for earlier in &self.directories[..index] {
                if let Some(collision) = self.collide(earlier, later) {
                    found.push(collision);
                }
            }
        }
        found
    }

    /// The directory of a volume that `path` lies in, as words, if there is one.
    pub(super) fn holder(&self, path: &Path) -> Option<String> {
        let place = Place::of(path);
        self.directories
            .iter()
            .find(|it| place.within(&it.place))
            .map(|it| format!("the {} {:?} of volume {:?}", it.role.key(), it.written, self.names[it.volume]))
    }

    fn collide(&self, earlier: &Directory, later: &Directory) -> Option<Collision> {
        let inside = later.place.within(&earlier.place);
        let around = earlier.place.within(&later.place);
        let relation = match (inside, around) {
            (true, true) => "is the same directory as",
            (true, false) => "is inside",
            (false, true) => "contains",
            (false, false) => return None,
        };
        // Within one volume the lower directory is the better place to point at.
        let (first, second, relation) = if earlier.volume == later.volume {
            (
                earlier,
                later,
                if inside && around {
                    relation
                } else if inside {
                    "contains"
                } else {
                    "is inside"
                },
            )
        } else {
            (later, earlier, relation)
        };
        let whose = if first.volume == second.volume {
            format!("its {}", second.role.key())
        } else {
            format!("the {} of volume {:?},", second.role.key(), self.names[second.volume])
        };
        let remedy = match (first.role, second.role) {
            (Role::Lower, Role::Lower) => {
                "give each volume a lower directory of its own, none within another"
            }
            (Role::Mount, Role::Mount) => "give each volume a mount point of its own, none within another",
            (Role::Lower, Role::Mount) | (Role::Mount, Role::Lower) => {
                "mount it outside of the lower directory"
            }
        };
        let text = format!(
            "{} {:?}{} {relation} {whose} {:?}{}; {remedy}",
            first.role.key(),
            first.written,
            first.really(),
            second.written,
            second.really(),
        );
        Some(Collision { volume: first.volume, role: first.role, text })
    }
}

impl Directory {
    /// Says where a path leads that is not where it seems to.
    fn really(&self) -> String {
        if self.place.path == self.written {
            String::new()
        } else {
            format!(" (which is {:?})", self.place.path)
        }
    }
}

/// Where a path leads.
#[derive(Debug)]
struct Place {
    /// Without symlinks, as far as it exists.
    path: PathBuf,
    /// Device and inode of the path itself, if it exists.
    this: Option<(u64, u64)>,
    /// The same of everything above it.
    above: Vec<(u64, u64)>,
}

impl Place {
    fn of(path: &Path) -> Place {
        let path = resolve(path);
        let identity = |path: &Path| std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
        let this = identity(&path);
        let above = path.ancestors().skip(1).filter_map(identity).collect();
        Place { path, this, above }
    }

    /// True when it is `other` or lies below it.
    fn within(&self, other: &Place) -> bool {
        self.path.starts_with(&other.path)
            || other.this.is_some_and(|other| self.this == Some(other) || self.above.contains(&other))
    }
}

/// Resolves what exists of `path` (a mount point may not be there yet, or be a dead mount) and keeps the rest.
fn resolve(path: &Path) -> PathBuf {
    let mut rest = Vec::new();
    let mut head = path;
    loop {
        if let Ok(mut resolved) = head.canonicalize() {
            resolved.extend(rest.iter().rev());
            return resolved;
        }
        match (head.parent(), head.file_name()) {
            (Some(parent), Some(name)) => {
                rest.push(name);
                head = parent;
            }
            _ => return path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str, this: (u64, u64), above: &[(u64, u64)]) -> Place {
        Place { path: path.into(), this: Some(this), above: above.to_vec() }
    }

    /// Symlinks are tried with whole configurations; a bind mount shows in device and inode alone.
    #[test]
    fn a_directory_is_known_again_under_another_path() {
        let media = place("/data/media", (1, 10), &[(1, 2)]);
        let bound = place("/mnt/bound", (1, 10), &[(2, 2)]);
        let below = place("/mnt/bound/dcim", (1, 11), &[(1, 10), (2, 2)]);
        let other = place("/mnt/other", (3, 10), &[(2, 2)]);
        assert!(bound.within(&media) && media.within(&bound));
        assert!(below.within(&media) && !media.within(&below));
        assert!(!other.within(&media) && !media.within(&other));
    }

    #[test]
    fn identities_are_read_from_the_system() {
        let dir = tempfile::tempdir().unwrap();
        let (this, below) = (Place::of(dir.path()), Place::of(&dir.path().join("none/below")));
        assert!(this.this.is_some() && below.this.is_none());
        assert!(below.above.contains(&this.this.unwrap()) && below.within(&this));
    }
}
