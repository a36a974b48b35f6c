//! Apps' private directories bound in the mount namespace of their process: what the app has there, what nobody else has, and
//! what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bound;
mod ends;
mod refused;
mod speed;

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use mediagate::binder::{Client, ClientError};
use mediagate_tests::{Package, World, become_app};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

const GAME: &str = "com.example.game";
const GAME_UID: u32 = 10101;
const OTHER: &str = "com.example.other";
const OTHER_UID: u32 = 10102;
/// `uid / 100000` is the user.
const PER_USER: u32 = 100_000;
/// What the shell of a device has (android_filesystem_config.h).
const SHELL_UID: u32 = 2000;
/// Longest that anything may take: reaching it means a hang.
const PATIENCE: Duration = Duration::from_secs(60);

fn world() -> World {
    let mut world = World::new(&[Package::new(GAME, GAME_UID), Package::new(OTHER, OTHER_UID)]);
    // As on a machine whose lower tree can be watched, wherever this runs.
    world.config.volumes[0].cache_seconds = Some(-1);
    world.start();
    world.daemon().wait_until_indexed();
    world
}

/// The mounts that the calling thread sees.
fn mounts() -> Vec<String> {
    std::fs::read_to_string("/proc/thread-self/mountinfo").unwrap().lines().map(str::to_owned).collect()
}

/// Of these, what is mounted in a directory: other tests mount, too.
fn mounts_below(dir: &Path) -> Vec<String> {
    let dir = dir.display().to_string();
    mounts().into_iter().filter(|line| line.contains(&dir)).collect()
}

fn mounts_in(world: &World) -> Vec<String> {
    mounts_below(&world.path(""))
}

/// A directory that is a mount of its own, of which every namespace hears what is mounted below it, as of the whole tree on a
/// machine with systemd.
struct Shared(tempfile::TempDir);

impl Shared {
    fn new() -> Shared {
        let dir = tempfile::tempdir().unwrap();
        let none = None::<&str>;
        mount(Some("shared"), dir.path(), Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).unwrap();
        mount(none, dir.path(), none, MsFlags::MS_SHARED, none).unwrap();
        Shared(dir)
    }

    /// A world whose volume is mounted there. To be dropped first.
    fn world(&self) -> World {
        let mut world = World::new(&[Package::new(GAME, GAME_UID), Package::new(OTHER, OTHER_UID)]);
        world.config.volumes[0].mount = self.0.path().join("mnt");
        world.start();
        world
    }

    /// What everybody sees there.
    fn mounts(&self) -> Vec<String> {
        mounts_below(self.0.path())
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let _ = nix::mount::umount2(self.0.path(), nix::mount::MntFlags::MNT_DETACH);
    }
}

type Work = Box<dyn FnOnce() + Send>;

/// A thread in a mount namespace of its own, which has root's uid until it is told to become an app.
struct Process {
    work: Option<Sender<Work>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Process {
    /// What is mounted in its namespace is nobody else's; it hears of what others mount.
    fn new() -> Process {
        Process::with(|| {
            let none = None::<&str>;
            mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none).unwrap();
        })
    }

    /// Its mounts are what they were in the namespace that it comes from, shared where they are.
    fn sharing() -> Process {
        Process::with(|| ())
    }

    fn with(begin: impl FnOnce() + Send + 'static) -> Process {
        let (work, all) = channel::<Work>();
        let thread = std::thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNS).unwrap();
            begin();
            all.into_iter().for_each(|work| work());
        });
        Process { work: Some(work), thread: Some(thread) }
    }

    /// One with the private directories of a uid, which it has become.
    fn private(world: &mut World, uid: u32) -> Process {
        let process = Process::new();
        process.bind(world, uid).unwrap();
        process.run(move || become_app(uid));
        process
    }

    fn bind(&self, world: &mut World, uid: u32) -> Result<(), ClientError> {
        let address = world.daemon().address().to_owned();
        self.run(move || {
            let namespace = File::open("/proc/thread-self/ns/mnt").unwrap().into();
            Client::connect(&address).unwrap().bind_private_storage(namespace, uid)
        })
    }

    /// What is mounted there in the world's directory.
    fn mounts(&self, world: &World) -> Vec<String> {
        let dir = world.path("");
        self.run(move || mounts_below(&dir))
    }

    /// Does something there.
    fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, result) = channel();
        let work = Box::new(move || {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            let _ = done.send(result);
        });
        self.work.as_ref().unwrap().send(work).unwrap();
        result
            .recv_timeout(PATIENCE)
            .expect("it does not end")
            .unwrap_or_else(|it| std::panic::resume_unwind(it))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.work = None;
        let _ = self.thread.take().unwrap().join();
    }
}

fn errno<T: std::fmt::Debug>(result: std::io::Result<T>) -> i32 {
    result.unwrap_err().raw_os_error().unwrap()
}
