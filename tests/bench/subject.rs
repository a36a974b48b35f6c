//! The file systems that are compared. All show the same lower directory; one is mounted at a time.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mediagate::binder::Client;
use nix::sys::resource::{Resource, getrlimit};

use crate::{Plan, portal};

/// Owns every file there is, and holds no permission: its right comes from what is known about the files.
pub(crate) const OWNER: (&str, u32) = ("com.example.owner", 10101);
/// May see and write everything.
const MANAGER: (&str, u32) = ("com.example.manager", 10102);
/// May see pictures: a third of a listing.
pub(crate) const GALLERY: (&str, u32) = ("com.example.gallery", 10103);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Native,
    Overlay,
    Bindfs,
    Mergerfs,
    Hp,
    Portal,
    Owner,
    Full,
    Partial,
    Daemon,
    Sleepy,
}

impl Subject {
    pub(crate) const ALL: [Subject; 11] = [
        Subject::Native,
        Subject::Owner,
        Subject::Full,
        Subject::Partial,
        Subject::Daemon,
        Subject::Sleepy,
        Subject::Overlay,
        Subject::Bindfs,
        Subject::Mergerfs,
        Subject::Hp,
        Subject::Portal,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Subject::Native => "native",
            Subject::Overlay => "overlayfs",
            Subject::Bindfs => "bindfs",
            Subject::Mergerfs => "mergerfs",
            Subject::Hp => "passthrough_hp",
            Subject::Portal => "document portal",
            Subject::Owner => "mediagate",
            Subject::Full => "mediagate, sees all",
            Subject::Partial => "mediagate, sees a third",
            Subject::Daemon => "mediagate, no passthrough",
            Subject::Sleepy => "mediagate, no busy polling",
        }
    }

    /// The program that it needs.
    fn needs(self) -> Option<&'static str> {
        match self {
            Subject::Bindfs => Some("bindfs"),
            Subject::Mergerfs => Some("mergerfs"),
            Subject::Hp => Some("passthrough_hp"),
            Subject::Portal => Some(portal::PROGRAM),
            _ => None,
        }
    }

    pub(crate) fn is_there(self) -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let there = |program: &str| std::env::split_paths(&path).any(|dir| dir.join(program).exists());
        self.needs().is_none_or(there) && (self != Subject::Portal || there("dbus-daemon"))
    }

    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Subject::Owner | Subject::Full | Subject::Partial | Subject::Daemon | Subject::Sleepy)
    }

    /// The first line of what its program says about its version.
    pub(crate) fn version(self) -> Option<String> {
        let said = match self {
            // It does not say itself.
            Subject::Portal => Command::new("dpkg-query").args(["-W", "xdg-desktop-portal"]).output().ok()?,
            _ => Command::new(self.needs()?).arg("--version").output().ok()?,
        };
        String::from_utf8_lossy(&said.stdout).lines().next().map(|it| it.replace('\t', " "))
    }

    pub(crate) fn uid(self) -> u32 {
        match self {
            Subject::Owner | Subject::Daemon | Subject::Sleepy => OWNER.1,
            Subject::Full => MANAGER.1,
            Subject::Partial => GALLERY.1,
            _ => 0,
        }
    }

    /// Mounts a place. Pinned: everything that it does is done by CPU 1.
    pub(crate) fn start(self, plan: &Plan, place: &Place, pinned: bool) -> Running {
        let lower = place.dir();
        let mut running = Running::new(self, plan);
        let options = |line: &str| -> Vec<String> { line.split(' ').map(str::to_owned).collect() };
        let (from, to) = (lower.display(), running.mount.display());
        match self {
            Subject::Native => running.dir = lower,
            Subject::Overlay => {
                // Changes go to the upper directory, which is the one that holds the files here.
                let aside = place.root.join("overlay");
                for name in ["empty", "work"] {
                    std::fs::create_dir_all(aside.join(name)).unwrap();
                }
                let aside = aside.display();
                let layers = format!("lowerdir={aside}/empty,upperdir={from},workdir={aside}/work");
                let none = nix::mount::MsFlags::MS_NOATIME;
                nix::mount::mount(
                    Some("overlay"),
                    &running.mount,
                    Some("overlay"),
                    none,
                    Some(layers.as_str()),
                )
                .unwrap();
            }
            Subject::Bindfs => {
                running.spawn(plan, pinned, "bindfs", options(&format!("-f --multithreaded {from} {to}")));
            }
            Subject::Mergerfs => {
                // As its documentation recommends for speed.
                let tuned = "cache.files=auto-full,cache.entry=86400,cache.attr=86400,cache.negative_entry=86400,\
                             cache.readdir=true,xattr=nosys,security_capability=false,threads=2,category.create=ff,minfreespace=0";
                running.spawn(plan, pinned, "mergerfs", options(&format!("-f -o {tuned} {from} {to}")));
            }
            Subject::Hp => {
                running.spawn(plan, pinned, "passthrough_hp", options(&format!("-f --clone-fd {from} {to}")));
            }
            Subject::Portal => {
                let runtime = plan.work.join("portal");
                let _ = std::fs::remove_dir_all(&runtime);
                std::fs::create_dir_all(&runtime).unwrap();
                let bus = portal::bus(&runtime);
                write_down(plan, bus.id());
                running.bus = Some(bus);
                running.mount = portal::mount(&runtime);
                running.spawn(plan, pinned, portal::PROGRAM, Vec::new());
                running.dir = portal::export(&runtime, &lower);
            }
            Subject::Owner | Subject::Full | Subject::Partial | Subject::Daemon | Subject::Sleepy => {
                self.serve(plan, place, pinned, &mut running);
                running.wait_until_indexed();
            }
        }
        running
    }

    /// Ours, returned as soon as it says that it is ready.
    pub(crate) fn start_ours(self, plan: &Plan, place: &Place) -> Running {
        let mut running = Running::new(self, plan);
        self.serve(plan, place, false, &mut running);
        running
    }

    fn serve(self, plan: &Plan, place: &Place, pinned: bool, running: &mut Running) {
        let state = place.root.join("state");
        let socket = plan.work.join("socket");
        let config = plan.work.join("mediagate.toml");
        let package = |(name, id): (&str, u32), more: &str| {
            format!("[[package]]\nname = \"{name}\"\napp_id = {id}\n{more}\n")
        };
        let text = format!(
            "[service]\nstate_dir = {state:?}\nlisten = [\"unix://{}\"]\n{}[[volume]]\nname = \"external_primary\"\n\
             kind = \"emulated\"\nlower = {:?}\nmount = {:?}\npassthrough = {}\n{}{}{}",
            socket.display(),
            if self == Subject::Sleepy { "busy_poll_us = 0\n" } else { "" },
            place.root.join("lower"),
            running.mount,
            self != Subject::Daemon,
            package(OWNER, ""),
            package(
                MANAGER,
                "permissions = [\"MANAGE_EXTERNAL_STORAGE\"]\napp_ops = { MANAGE_EXTERNAL_STORAGE = \"allow\" }"
            ),
            package(GALLERY, "permissions = [\"READ_MEDIA_IMAGES\"]"),
        );
        std::fs::create_dir_all(&state).unwrap();
        std::fs::write(&config, text).unwrap();
        let program = plan.program.to_str().unwrap().to_owned();
        let address = format!("unix://{}", socket.display());
        running.socket = Some((program.clone(), address));
        let arguments = ["serve", "--config", config.to_str().unwrap()].map(str::to_owned).to_vec();
        running.dir = running.mount.join("0/Download");
        running.spawn(plan, pinned, &program, arguments);
    }
}

/// What is shown: `lower` below the root, and below that user 0's `Download`. What is remembered of it is beside it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) root: PathBuf,
}

impl Place {
    pub(crate) fn of(plan: &Plan, name: &str) -> Place {
        Place { root: plan.work.join("disk").join(name) }
    }

    /// The directory that all work is in.
    pub(crate) fn dir(&self) -> PathBuf {
        self.root.join("lower/0/Download")
    }
}

/// A subject that is mounted; unmounted when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) subject: Subject,
    child: Option<Child>,
    /// The portal's.
    bus: Option<Child>,
    mount: PathBuf,
    /// Where it shows the directory that all work is in.
    pub(crate) dir: PathBuf,
    /// The service's program and address.
    socket: Option<(String, String)>,
    /// From its start until it said that it was ready, of ours.
    pub(crate) ready: Duration,
}

/// For `tests/bench/run`, which ends what is left when this is interrupted.
fn write_down(plan: &Plan, pid: u32) {
    let mut pids = std::fs::File::options().append(true).create(true).open(plan.work.join("pids")).unwrap();
    writeln!(pids, "{pid}").unwrap();
}

fn is_mounted(mount: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    let mount = mount.to_str().unwrap();
    mounts.lines().any(|line| line.split(' ').nth(1) == Some(mount))
}

impl Running {
    fn new(subject: Subject, plan: &Plan) -> Running {
        let mount = plan.work.join("mnt");
        std::fs::create_dir_all(&mount).unwrap();
        let (dir, ready) = (mount.clone(), Duration::ZERO);
        Running { subject, child: None, bus: None, dir, mount, socket: None, ready }
    }

    fn spawn(&mut self, plan: &Plan, pinned: bool, program: &str, arguments: Vec<String>) {
        // Peers keep a descriptor for every file that they know: they get all that there can be. Ours raises its limit itself.
        let ours = self.subject.is_ours();
        let mut command = Command::new("prlimit");
        let most = getrlimit(Resource::RLIMIT_NOFILE).unwrap().1;
        command.arg(format!("--nofile={}:{most}", if ours { most.min(1024) } else { most }));
        command.args(["taskset", "-c", if pinned { "1" } else { "0-1" }, program]).args(arguments);
        if self.subject == Subject::Portal {
            portal::environment(&mut command, &plan.work.join("portal"));
        }
        let log = std::fs::File::create(plan.work.join("log")).unwrap();
        command.stdin(Stdio::null()).stderr(log).env("MEDIAGATE_LOG", "error");
        command.stdout(if ours { Stdio::piped() } else { Stdio::null() });
        let begin = Instant::now();
        let mut child = command.spawn().unwrap();
        write_down(plan, child.id());
        if let Some(stdout) = child.stdout.take() {
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).unwrap();
            assert_eq!(line, "ready\n", "{}", std::fs::read_to_string(plan.work.join("log")).unwrap());
            self.ready = begin.elapsed();
        }
        self.child = Some(child);
        while !is_mounted(&self.mount) {
            assert!(begin.elapsed() < Duration::from_secs(20), "{program} does not mount");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The service's interface.
    pub(crate) fn service(&self) -> Client {
        let (_, address) = self.socket.as_ref().expect("it is not ours");
        Client::connect(address).unwrap()
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        Some(self.child.as_ref()?.id())
    }

    /// The index knows what there is, or has seen that there is nothing of what it knows.
    pub(crate) fn wait_until_indexed(&self) {
        let (begin, service) = (Instant::now(), self.service());
        while !service.volumes().unwrap().iter().all(|it| it.indexed || it.emptied) {
            assert!(begin.elapsed() < Duration::from_secs(300), "the index does not come up to date");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A counter or gauge of ours.
    pub(crate) fn stat(&self, name: &str) -> f64 {
        let stats = self.service().stats().unwrap();
        stats.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("no stat {name}")).value as f64
    }

    /// Requests by kind, of ours.
    pub(crate) fn requests(&self) -> BTreeMap<String, f64> {
        if self.socket.is_none() {
            return BTreeMap::new();
        }
        let stats = self.service().stats().unwrap();
        let counted = stats.iter().filter_map(|stat| {
            Some((stat.name.strip_prefix("fuse.requests.")?.to_owned(), stat.value as f64))
        });
        counted.collect()
    }

    /// Seconds of CPU time so far, of all threads of the daemon; the kernel counts them to the nanosecond.
    pub(crate) fn cpu(&self) -> Option<f64> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid()?)).ok()?;
        let spent = threads.filter_map(|thread| {
            let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<f64>().ok()
        });
        Some(spent.sum::<f64>() / 1e9)
    }

    /// MiB of the daemon that are resident.
    pub(crate) fn resident(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?)).ok()?;
        let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"))?;
        Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.subject != Subject::Native {
            for _ in 0..200 {
                if !is_mounted(&self.mount) || nix::mount::umount(&self.mount).is_ok() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        if let Some(child) = &mut self.child {
            let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
            let _ = child.wait();
        }
        if let Some(bus) = &mut self.bus {
            let pid = nix::unistd::Pid::from_raw(bus.id().cast_signed());
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
            let _ = bus.wait();
        }
        if is_mounted(&self.mount) && self.subject != Subject::Native {
            let _ = nix::mount::umount2(&self.mount, nix::mount::MntFlags::MNT_DETACH);
        }
    }
}
