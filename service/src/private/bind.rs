//! What is mounted, and taken away again. All of it on one thread, which moves between the service's mount namespace, where a
//! lower directory can be copied as a mount (fs/namespace.c, open_tree asks for a mount of the caller's own namespace), and
//! the one that is to have it.

use std::os::fd::{AsFd as _, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags, mkdirat, open, openat};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_string, fsmount, fsopen, move_mount, open_tree, unmount,
};
use rustix::process::fchdir;

use super::places::{Mounts, Place, open_below, source};
use super::raw::{Propagation, set_attributes};
use super::{PrivateError, Storage, give::give, namespace, os};

/// As the volume itself is mounted (`fuse/mount.rs`).
const FLAGS: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_NOSUID
    .union(MountAttrFlags::MOUNT_ATTR_NODEV)
    .union(MountAttrFlags::MOUNT_ATTR_NOEXEC)
    .union(MountAttrFlags::MOUNT_ATTR_NOATIME);
/// Of the directory that holds the packages': as through the mount, where apps may not list it either.
const MODE: &str = "0711";

/// The work of one call.
pub(super) struct Work {
    namespace: OwnedFd,
    uid: u32,
    /// Places at which something was mounted.
    mounted: Vec<Place>,
}

/// What goes to one place: the directory of the packages' directories, and these.
struct Made {
    tmpfs: OwnedFd,
    trees: Vec<(String, OwnedFd)>,
}

impl Work {
    pub(super) fn new(namespace: OwnedFd, uid: u32) -> Work {
        Work { namespace, uid, mounted: Vec::new() }
    }

    pub(super) fn run(&mut self, storage: &[Storage]) -> Result<(), PrivateError> {
        let result = self.mount_all(storage);
        if result.is_err() {
            self.undo();
        }
        result
    }

    fn mount_all(&mut self, storage: &[Storage]) -> Result<(), PrivateError> {
        for package in storage.iter().flat_map(|it| &it.packages) {
            for dir in &package.dirs {
                give(dir.as_fd(), self.uid)
                    .map_err(os(format!("give the directories of {} to uid {}", package.name, self.uid)))?;
            }
        }
        namespace::let_go_of_others()?;
        let own = namespace::own().map_err(os("look at the service's own namespace"))?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let proc = open("/proc", flags, Mode::empty()).map_err(os("open /proc"))?;

        namespace::enter(self.namespace.as_fd())?;
        let there = Mounts::read(proc.as_fd())?;
        let mut to_do = Vec::new();
        let mut is_there = false;
        for it in storage {
            if let Some(places) = there.places(it, self.uid)? {
                is_there = true;
                to_do.extend(places.into_iter().map(|place| (it, place)));
            }
        }
        if !is_there {
            return Err(PrivateError::NotThere);
        }
        namespace::enter(own.as_fd())?;
        let mut made = Vec::new();
        for (of, place) in to_do {
            made.push((self.make(of, place.which)?, place));
        }
        namespace::enter(self.namespace.as_fd())?;
        made.into_iter().try_for_each(|(made, place)| self.put(&made, place))
    }

    /// Makes what is mounted nowhere yet.
    fn make(&self, storage: &Storage, which: usize) -> Result<Made, PrivateError> {
        let tmpfs = self.tmpfs(storage).map_err(os("make a tmpfs"))?;
        let mut trees = Vec::new();
        for package in &storage.packages {
            let Some(dir) = package.dirs.get(which) else { continue };
            let tree = tree(dir).map_err(os(format!("copy the mount of a directory of {}", package.name)))?;
            trees.push((package.name.clone(), tree));
        }
        Ok(Made { tmpfs, trees })
    }

    fn tmpfs(&self, storage: &Storage) -> Result<OwnedFd, Errno> {
        let context = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_set_string(&context, "source", source(self.uid))?;
        fsconfig_set_string(&context, "mode", MODE)?;
        // It holds directories and nothing else.
        fsconfig_set_string(&context, "size", "4k")?;
        fsconfig_set_string(&context, "nr_inodes", (storage.packages.len() + 2).to_string())?;
        fsconfig_create(&context)?;
        let tmpfs = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, FLAGS)?;
        for package in &storage.packages {
            mkdirat(&tmpfs, package.name.as_str(), Mode::from_raw_mode(0o711))?;
        }
        set_attributes(tmpfs.as_fd(), MountAttrFlags::MOUNT_ATTR_RDONLY, Propagation::Private, false)?;
        Ok(tmpfs)
    }

    fn put(&mut self, made: &Made, place: Place) -> Result<(), PrivateError> {
        let shown = String::from_utf8_lossy(&place.below).into_owned();
        let failed = || os(format!("mount over {shown:?} in the mount namespace"));
        // First of all: what comes now is nobody else's.
        set_attributes(place.mount.as_fd(), MountAttrFlags::empty(), Propagation::Slave, true)
            .map_err(os("make the volume's mount a slave in the mount namespace"))?;
        if place.outdated {
            take_away(&place).map_err(failed())?;
        }
        let target = match open_below(place.mount.as_fd(), &place.below, ResolveFlags::NO_XDEV) {
            Err(Errno::XDEV) => return Err(PrivateError::Occupied(shown)),
            other => other.map_err(failed())?,
        };
        attach(&made.tmpfs, &target).map_err(failed())?;
        self.mounted.push(place);
        for (name, tree) in &made.trees {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let target = openat(&made.tmpfs, name.as_str(), flags, Mode::empty()).map_err(failed())?;
            attach(tree, &target).map_err(failed())?;
        }
        Ok(())
    }

    /// Takes away what was mounted.
    pub(super) fn undo(&mut self) {
        if self.mounted.is_empty() {
            return;
        }
        if let Err(error) = namespace::enter(self.namespace.as_fd()) {
            log::error!("uid={}: private directories stay mounted: {error}", self.uid);
        }
        for place in self.mounted.drain(..).rev() {
            if let Err(errno) = take_away(&place) {
                log::error!("uid={}: private directories stay mounted: {errno}", self.uid);
            }
        }
    }
}

/// A copy of the mount that a directory is on, with that directory as its root, of which nobody else hears.
fn tree(dir: &OwnedFd) -> Result<OwnedFd, Errno> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    let tree = open_tree(dir, "", flags)?;
    set_attributes(tree.as_fd(), FLAGS, Propagation::Private, false)?;
    Ok(tree)
}

fn attach(mount: &OwnedFd, target: &OwnedFd) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(mount, "", target, "", flags)
}

/// Unmounts what is over a place, and what is on that. The working directory is the calling thread's own.
fn take_away(place: &Place) -> Result<(), Errno> {
    let (above, name) = match place.below.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => place.below.split_at(slash),
        None => (&b"."[..], &place.below[..]),
    };
    fchdir(open_below(place.mount.as_fd(), above, ResolveFlags::NO_XDEV)?)?;
    let name = name.strip_prefix(b"/").unwrap_or(name);
    unmount(name, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use nix::mount::{MsFlags, mount};
    use nix::sched::{CloneFlags, unshare};

    use super::*;
    use crate::private::Package;

    const APP: u32 = 10_101;

    /// What the calling thread sees below a directory.
    fn mounts(dir: &Path) -> usize {
        let text = std::fs::read("/proc/thread-self/mountinfo").unwrap();
        crate::mountinfo::mounts(&text)
            .filter(|it| it.at.starts_with(dir.as_os_str().as_encoded_bytes()))
            .count()
    }

    fn dir(path: &Path) -> OwnedFd {
        open(path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap()
    }

    /// As root only, who may mount. A directory that is a mount plays the volume.
    #[test]
    fn what_was_mounted_is_taken_back() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let world = tempfile::tempdir().unwrap();
        let at = |name: &str| world.path().join(name);
        for name in ["volume", "lower/data", "lower/obb"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        let (volume, top) = (at("volume"), world.path().to_owned());
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<std::sync::mpsc::Sender<usize>>();
        let namespace = std::thread::spawn(move || {
            let none = None::<&str>;
            unshare(CloneFlags::CLONE_NEWNS).unwrap();
            mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
            mount(Some("volume"), &volume, Some("tmpfs"), MsFlags::empty(), none).unwrap();
            for name in ["data", "obb"] {
                std::fs::create_dir_all(volume.join("0/Android").join(name)).unwrap();
            }
            let device = rustix::fs::stat(&volume).unwrap().st_dev;
            tell.send((device, namespace::own().unwrap())).unwrap();
            ended.into_iter().for_each(|answer| answer.send(mounts(&top)).unwrap());
        });
        let seen = || {
            let (answer, said) = std::sync::mpsc::channel();
            end.send(answer).unwrap();
            said.recv().unwrap()
        };
        let (device, given) = told.recv().unwrap();
        let package = || Package {
            name: "com.example.game".to_owned(),
            dirs: vec![dir(&at("lower/data")), dir(&at("lower/obb"))],
        };
        let storage = |dirs: &[&'static str], packages: Vec<Package>| Storage {
            device,
            user: "0".to_owned(),
            dirs: dirs.to_vec(),
            packages,
        };
        let work = |storage: Storage, then: fn(&mut Work)| {
            let mut work = Work::new(given.try_clone().unwrap(), APP);
            let worker = std::thread::spawn(move || {
                let result = work.run(&[storage]);
                then(&mut work);
                result
            });
            worker.join().unwrap()
        };
        let all = ["Android/data", "Android/obb"];
        assert_eq!(seen(), 1);
        assert_eq!(work(storage(&all, vec![package()]), Work::undo), Ok(()));
        assert_eq!(seen(), 1, "taken back by whoever gave up waiting");
        // The second time at the same place something is there already, which shows only then.
        let twice = storage(&["Android/obb", "Android/data", "Android/data"], vec![package()]);
        let twice = Storage { packages: twice.packages.into_iter().map(with_third).collect(), ..twice };
        assert!(matches!(work(twice, |_| ()), Err(PrivateError::Occupied(_))));
        assert_eq!(seen(), 1, "taken back for a failure");
        assert_eq!(work(storage(&all, vec![package()]), |_| ()), Ok(()));
        assert_eq!(seen(), 5);
        assert_eq!(mounts(world.path()), 0, "in the namespace of everybody else");
        drop(end);
        namespace.join().unwrap();
    }

    fn with_third(mut package: Package) -> Package {
        let again = package.dirs[0].try_clone().unwrap();
        package.dirs.push(again);
        package
    }
}
