//! Prepares what a vector says is there, and takes it away again.
//!
//! Only the tests' own process (root) and the owners' processes change anything here. Directories that stand are
//! remembered and left for the next vector unless it is about making, removing or moving them.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use mediagate::config::{VolumeConfig, VolumeKindConfig};
use mediagate_tests::Actor;
use rustix::fs::{XattrFlags, getxattr, setxattr};

use crate::schema::{Caller, Callers, Vector, Whose};
use crate::{NOBODY_APP, OTHER_APP};

/// How files come to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Made through the mount by their owners.
    Through,
    /// Put on the lower file system, with the owner written on them.
    Below,
}

/// The file that `link` links to, and what a listing is looked at for.
pub(crate) const LINKED: &str = "Download/linked.bin";
pub(crate) const SHOWN_TO_ALL: &str = "shown";
pub(crate) const HIDDEN_FROM_SOME: &str = "hidden.bin";

const OWNER: &str = "user.mediagate.owner";

/// A volume to prepare things on.
pub(crate) struct Stage<'a> {
    volume: &'a VolumeConfig,
    callers: &'a Callers,
    way: Way,
    actors: HashMap<u32, Actor>,
    /// Directories, below the volume's root, that are known to exist.
    standing: BTreeSet<String>,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(volume: &'a VolumeConfig, callers: &'a Callers, way: Way) -> Stage<'a> {
        Stage { volume, callers, way, actors: HashMap::new(), standing: BTreeSet::new() }
    }

    pub(crate) fn is_public(&self) -> bool {
        self.volume.kind == VolumeKindConfig::Public
    }

    /// The process of a uid.
    pub(crate) fn actor(&mut self, uid: u32) -> &mut Actor {
        self.actors.entry(uid).or_insert_with(|| Actor::start(uid))
    }

    /// A path as the caller says it, through the mount.
    pub(crate) fn mounted(&self, relative: &str) -> PathBuf {
        self.volume.mount.join(relative)
    }

    /// The path below the volume's root of what the vector is about.
    pub(crate) fn object(&self, vector: &Vector<'_>) -> String {
        if vector.row.object.mount_root {
            return String::new();
        }
        self.relative(vector.row.object.user.user(vector.row.from), &vector.path)
    }

    /// The same of its new name.
    pub(crate) fn target(&self, vector: &Vector<'_>) -> Option<String> {
        Some(self.relative(vector.row.to_user.user(vector.row.from), vector.to.as_deref()?))
    }

    fn relative(&self, user: u32, path: &str) -> String {
        if self.is_public() {
            return path.to_owned();
        }
        if path.is_empty() { user.to_string() } else { format!("{user}/{path}") }
    }

    /// The owner that a lower file has on it.
    pub(crate) fn owner_of(&self, relative: &str) -> Option<String> {
        let mut value = [0; 256];
        let length = getxattr(self.volume.lower.join(relative), OWNER, &mut value).ok()?;
        Some(String::from_utf8_lossy(&value[..length]).into_owned())
    }

    pub(crate) fn prepare(&mut self, vector: &Vector<'_>) {
        let (row, object, tree) =
            (vector.row, self.object(vector), vector.row.object.user.user(vector.row.from));
        if is_changed(vector) {
            self.remove(&object);
        }
        if let Some(to) = self.target(vector) {
            self.remove(&to);
            self.ensure(parent(&to));
            if let Some(replaced) = &row.replaced {
                self.put(&to, self.package(vector.caller, replaced.owner), row.to_user.user(row.from));
            }
        }
        if row.object.nomedia {
            // A directory that nothing is known of yet.
            self.remove(parent(&object));
            self.ensure(parent(&object));
            self.put(&format!("{}/.nomedia", parent(&object)), None, tree);
        }
        match vector.op {
            "create" | "mknod" | "mkdir" | "symlink" => self.ensure(parent(&object)),
            "link" => {
                self.ensure(parent(&object));
                let linked = self.relative(0, LINKED);
                self.put(&linked, None, 0);
            }
            _ if vector.is_directory() => self.ensure(&object),
            _ => self.put(&object, self.package(vector.caller, row.object.owner), tree),
        }
        if vector.op == "opendir" && !row.object.mount_root {
            self.ensure(&below(&object, SHOWN_TO_ALL));
            self.put(&below(&object, HIDDEN_FROM_SOME), None, tree);
        }
        for child in &row.contains {
            self.put(&below(&object, &child.name), self.package(vector.caller, child.owner), tree);
        }
    }

    pub(crate) fn clear(&mut self, vector: &Vector<'_>) {
        let object = self.object(vector);
        if is_changed(vector) || !vector.is_directory() {
            self.remove(&object);
        }
        if let Some(to) = self.target(vector) {
            self.remove(&to);
        }
        if vector.row.object.nomedia {
            self.remove(parent(&object));
        }
        match vector.op {
            "link" => self.remove(&self.relative(0, LINKED)),
            "opendir" if !vector.row.object.mount_root => {
                self.remove(&below(&object, SHOWN_TO_ALL));
                self.remove(&below(&object, HIDDEN_FROM_SOME));
            }
            _ => {}
        }
    }

    fn package(&self, caller: &Caller, whose: Option<Whose>) -> Option<(&'a str, u32)> {
        if caller.instant && whose == Some(Whose::Caller) {
            // It makes no files, and finds none of anybody's.
            return None;
        }
        let package = self
            .callers
            .package(self.callers.callers.iter().find(|it| it.name == caller.name).unwrap(), whose?);
        let app_id = match &caller.package {
            _ if *package == self.callers.other => OTHER_APP,
            None => NOBODY_APP,
            Some(_) => caller.app_id,
        };
        Some((package, app_id))
    }

    /// Where the stage itself works. The directories on the way to links are there without being made, and nobody makes
    /// anything in them.
    fn place(&self, relative: &str) -> PathBuf {
        // Through the mount these names are there already, and are nothing that a file can be put into.
        let is_made_up = relative.split('/').any(|name| name == ".transforms");
        match self.way {
            Way::Through if is_made_up => self.volume.lower.join(relative),
            Way::Through => self.volume.mount.join(relative),
            Way::Below => self.volume.lower.join(relative),
        }
    }

    fn ensure(&mut self, directory: &str) {
        if directory.is_empty() || self.standing.contains(directory) {
            return;
        }
        self.ensure(parent(directory));
        match std::fs::create_dir(self.place(directory)) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                panic!("cannot make {directory:?}: {error}")
            }
            _ => {}
        }
        self.standing.insert(directory.to_owned());
    }

    fn put(&mut self, file: &str, owner: Option<(&str, u32)>, user: u32) {
        self.ensure(parent(file));
        let place = self.place(file);
        match (self.way, owner) {
            (Way::Through, Some((package, app_id))) => self.make_as(&place, package, app_id, user),
            (_, None) => make(&place),
            (Way::Below, Some((package, _))) => {
                // Nobody sees it before it says whose it is.
                let unseen = self.volume.lower.with_extension("coming");
                make(&unseen);
                setxattr(&unseen, OWNER, package.as_bytes(), XattrFlags::empty()).expect("set the owner");
                std::fs::rename(&unseen, &place).expect("put it there");
            }
        }
    }

    /// The owner makes it; where it may not, it makes it in its own directory and root moves it, which leaves the
    /// owner as it is.
    fn make_as(&mut self, place: &Path, package: &str, app_id: u32, user: u32) {
        let uid = user * 100_000 + app_id;
        if self.actor(uid).create(place, b"x").is_ok() {
            return;
        }
        let home = self.relative(user, &format!("Android/media/{package}"));
        self.ensure(&home);
        let seed = self.mounted(&below(&home, "seed"));
        self.actor(uid).create(&seed, b"x").expect("an app makes files in its own directory");
        std::fs::rename(&seed, place).expect("root moves it");
    }

    fn remove(&mut self, relative: &str) {
        let place = self.place(relative);
        let gone = match std::fs::symlink_metadata(&place) {
            Ok(it) if it.is_dir() => std::fs::remove_dir_all(&place),
            Ok(_) => std::fs::remove_file(&place),
            Err(error) => Err(error),
        };
        match gone {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                panic!("cannot remove {relative:?}: {error}")
            }
            _ => {}
        }
        let inside = format!("{relative}/");
        self.standing.retain(|it| it != relative && !it.starts_with(&inside));
    }
}

/// True when the vector is about making, moving or removing the object, which has to be a new one then.
fn is_changed(vector: &Vector<'_>) -> bool {
    matches!(vector.op, "create" | "mknod" | "mkdir" | "symlink" | "link" | "rmdir" | "unlink" | "rename")
}

fn make(place: &Path) {
    std::fs::write(place, b"x").unwrap_or_else(|error| panic!("cannot make {place:?}: {error}"));
}

pub(crate) fn below(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}
