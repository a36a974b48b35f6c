//! The file systems that are compared. All show the same lower directory; one is mounted at a time.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Plan;

/// Owns every file there is, and holds no permission: its right comes from what is known about the files.
pub(crate) const OWNER: (&str, u32) = ("com.example.owner", 10101);
/// May see and write everything.
const MANAGER: (&str, u32) = ("com.example.manager", 10102);
/// May see pictures: a third of a listing.
const GALLERY: (&str, u32) = ("com.example.gallery", 10103);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Native,
    Overlay,
    Bindfs,
    Mergerfs,
    Hp,
    Owner,
    Full,
    Partial,
    Daemon,
}

impl Subject {
    pub(crate) const ALL: [Subject; 9] = [
        Subject::Native,
        Subject::Owner,
        Subject::Full,
        Subject::Partial,
        Subject::Daemon,
        Subject::Overlay,
        Subject::Bindfs,
        Subject::Mergerfs,
        Subject::Hp,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Subject::Native => "native",
            Subject::Overlay => "overlayfs",
            Subject::Bindfs => "bindfs",
            Subject::Mergerfs => "mergerfs",
            Subject::Hp => "passthrough_hp",
            Subject::Owner => "mediagate",
            Subject::Full => "mediagate, sees all",
            Subject::Partial => "mediagate, sees a third",
            Subject::Daemon => "mediagate, no passthrough",
        }
    }

    /// The program that it needs.
    fn needs(self) -> Option<&'static str> {
        match self {
            Subject::Bindfs => Some("bindfs"),
            Subject::Mergerfs => Some("mergerfs"),
            Subject::Hp => Some("passthrough_hp"),
            _ => None,
        }
    }

    pub(crate) fn is_there(self) -> bool {
        let Some(program) = self.needs() else { return true };
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|dir| dir.join(program).exists())
    }

    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Subject::Owner | Subject::Full | Subject::Partial | Subject::Daemon)
    }

    /// The first line of what its program says about its version.
    pub(crate) fn version(self) -> Option<String> {
        let said = Command::new(self.needs()?).arg("--version").output().ok()?;
        String::from_utf8_lossy(&said.stdout).lines().next().map(str::to_owned)
    }

    pub(crate) fn uid(self) -> u32 {
        match self {
            Subject::Owner | Subject::Daemon => OWNER.1,
            Subject::Full => MANAGER.1,
            Subject::Partial => GALLERY.1,
            _ => 0,
        }
    }

    /// Mounts it. Pinned: everything that it does is done by CPU 1.
    pub(crate) fn start(self, plan: &Plan, pinned: bool) -> Running {
        let lower = plan.work.join("disk/lower/0/Download");
        let mount = plan.work.join("mnt");
        std::fs::create_dir_all(&mount).unwrap();
        let mut running = Running { subject: self, child: None, dir: mount.clone(), mount, socket: None };
        let options = |line: &str| -> Vec<String> { line.split(' ').map(str::to_owned).collect() };
        let (from, to) = (lower.display(), running.mount.display());
        match self {
            Subject::Native => running.dir = lower,
            Subject::Overlay => {
                // Changes go to the upper directory, which is the one that holds the files here.
                let aside = plan.work.join("disk/overlay");
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
            Subject::Owner | Subject::Full | Subject::Partial | Subject::Daemon => {
                self.serve(plan, pinned, &mut running)
            }
        }
        running
    }

    fn serve(self, plan: &Plan, pinned: bool, running: &mut Running) {
        let state = plan.work.join("disk/state");
        let socket = plan.work.join("socket");
        let config = plan.work.join("mediagate.toml");
        let package = |(name, id): (&str, u32), more: &str| {
            format!("[[package]]\nname = \"{name}\"\napp_id = {id}\n{more}\n")
        };
        let text = format!(
            "[service]\nstate_dir = {state:?}\nlisten = [\"unix://{}\"]\n[[volume]]\nname = \"external_primary\"\n\
             kind = \"emulated\"\nlower = {:?}\nmount = {:?}\npassthrough = {}\n{}{}{}",
            socket.display(),
            plan.work.join("disk/lower"),
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
        let begin = Instant::now();
        let indexed = |running: &Running| {
            running.cli(&["volume", "list", "--json"]).contains("\"indexed\": true")
                || running.cli(&["volume", "list", "--json"]).contains("\"indexed\":true")
        };
        while !indexed(running) {
            assert!(begin.elapsed() < Duration::from_secs(120), "the index does not come up to date");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A subject that is mounted; unmounted when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) subject: Subject,
    child: Option<Child>,
    mount: PathBuf,
    /// Where it shows the directory that all work is in.
    pub(crate) dir: PathBuf,
    socket: Option<(String, String)>,
}

fn is_mounted(mount: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    let mount = mount.to_str().unwrap();
    mounts.lines().any(|line| line.split(' ').nth(1) == Some(mount))
}

impl Running {
    fn spawn(&mut self, plan: &Plan, pinned: bool, program: &str, arguments: Vec<String>) {
        let mut command = Command::new("taskset");
        command.args(["-c", if pinned { "1" } else { "0-1" }, program]).args(arguments);
        let ours = self.subject.is_ours();
        let log = std::fs::File::create(plan.work.join("log")).unwrap();
        command.stdin(Stdio::null()).stderr(log).env("MEDIAGATE_LOG", "error");
        command.stdout(if ours { Stdio::piped() } else { Stdio::null() });
        let mut child = command.spawn().unwrap();
        let mut pids =
            std::fs::File::options().append(true).create(true).open(plan.work.join("pids")).unwrap();
        writeln!(pids, "{}", child.id()).unwrap();
        if let Some(stdout) = child.stdout.take() {
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).unwrap();
            assert_eq!(line, "ready\n", "{}", std::fs::read_to_string(plan.work.join("log")).unwrap());
        }
        self.child = Some(child);
        let begin = Instant::now();
        while !is_mounted(&self.mount) {
            assert!(begin.elapsed() < Duration::from_secs(20), "{program} does not mount");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn cli(&self, arguments: &[&str]) -> String {
        let Some((program, address)) = &self.socket else { return String::new() };
        let said = Command::new(program).args(["--connect", address]).args(arguments).output().unwrap();
        String::from_utf8(said.stdout).unwrap()
    }

    /// Requests by kind, of ours.
    pub(crate) fn requests(&self) -> std::collections::BTreeMap<String, f64> {
        if self.socket.is_none() {
            return std::collections::BTreeMap::new();
        }
        let stats: Vec<serde_json::Value> = serde_json::from_str(&self.cli(&["stats", "--json"])).unwrap();
        let counted = stats.iter().filter_map(|stat| {
            Some((stat["name"].as_str()?.strip_prefix("fuse.requests.")?.to_owned(), stat["value"].as_f64()?))
        });
        counted.collect()
    }

    /// Seconds of CPU time so far, and MiB that are resident.
    pub(crate) fn spent(&self) -> Option<(f64, f64)> {
        let pid = self.child.as_ref()?.id();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // utime and stime, in ticks of 10 ms.
        let ticks: Vec<f64> =
            stat.rsplit(')').next()?.split_whitespace().skip(11).take(2).flat_map(str::parse).collect();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let rss: f64 = status
            .lines()
            .find_map(|it| it.strip_prefix("VmRSS:"))?
            .split_whitespace()
            .next()?
            .parse()
            .ok()?;
        Some((ticks.iter().sum::<f64>() / 100.0, rss / 1024.0))
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
        if is_mounted(&self.mount) && self.subject != Subject::Native {
            let _ = nix::mount::umount2(&self.mount, nix::mount::MntFlags::MNT_DETACH);
        }
    }
}
