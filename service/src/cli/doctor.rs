//! `doctor`: what this machine can do, and what a service that runs on it does. Looks only; changes nothing.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use caps::{CapSet, Capability};
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::utsname::uname;
use serde::Serialize;

use super::output;
use crate::control::VolumeStatus;
use crate::kernel::keeps_listings_too_long;
use crate::private::InodeBacking;

/// First kernel with FUSE passthrough (fs/fuse/passthrough.c appeared in 6.9).
const PASSTHROUGH_SINCE: (u32, u32) = (6, 9);
/// Open files enough for the default bound of backing files and their handles.
const OPEN_FILES: u64 = 65_536;

/// What was found out.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether volumes can be mounted.
    pub(super) can_mount: bool,
    checks: Vec<Check>,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    /// Whether mounting depends on it.
    required: bool,
    found: String,
    /// What to do about it; empty when there is nothing to do.
    remedy: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Missing,
    Unknown,
}

impl State {
    fn of(ok: bool) -> Self {
        if ok { State::Ok } else { State::Missing }
    }

    fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Missing => "missing",
            State::Unknown => "unknown",
        }
    }
}

impl Check {
    fn new(name: &'static str, required: bool, state: State, found: String, remedy: &'static str) -> Self {
        let remedy = if state == State::Ok { "" } else { remedy };
        Check { name, required, state, found, remedy }
    }
}

/// Looks at the machine, and at the volumes of the service that runs, if one answers.
pub(super) fn examine(running: Option<&[VolumeStatus]>) -> Report {
    let release = uname().map(|u| u.release().to_string_lossy().into_owned()).unwrap_or_default();
    let mut checks = vec![
        fuse_in_kernel(),
        fuse_device(),
        privilege(),
        passthrough(&release),
        backing_privilege(),
        inode_backing(),
        listings(&release),
        open_files(),
        watch(),
        watched_directories(),
        request_size(),
        binder(),
    ];
    checks.extend(running.map(in_use));
    let can_mount = checks.iter().all(|check| !check.required || check.state == State::Ok);
    Report { can_mount, checks }
}

impl Report {
    pub(super) fn render(&self, json: bool) -> String {
        if json {
            // Strings, booleans and lists always serialise.
            return output::json(self).unwrap_or_default();
        }
        let mut text = String::new();
        for check in &self.checks {
            text.push_str(&format!(
                "{:<8} {:<20} {}\n",
                check.state.word(),
                check.name,
                output::show(&check.found)
            ));
            if !check.remedy.is_empty() {
                text.push_str(&format!("{:29} → {}\n", "", check.remedy));
            }
        }
        text.push_str(if self.can_mount {
            "This machine can mount volumes.\n"
        } else {
            "This machine cannot mount volumes as it is.\n"
        });
        text
    }
}

fn fuse_in_kernel() -> Check {
    let known = fs::read_to_string("/proc/filesystems")
        .is_ok_and(|list| list.lines().any(|line| line.split_whitespace().last() == Some("fuse")));
    let found = if known { "the kernel has the fuse file system" } else { "not in /proc/filesystems" };
    let remedy = "modprobe fuse, or a kernel with CONFIG_FUSE_FS";
    Check::new("fuse", true, State::of(known), found.to_owned(), remedy)
}

fn listings(release: &str) -> Check {
    let kept = !keeps_listings_too_long(release);
    let found = if kept {
        "directories that do not change are listed by the kernel to those who are shown all of them"
    } else {
        "each listing is asked for: this kernel may not drop one when it should"
    };
    let remedy = "Linux 6.12.10 or newer, or older than 6.9";
    Check::new("kept listings", false, State::of(kept), found.to_owned(), remedy)
}

fn fuse_device() -> Check {
    let opened = fs::File::options().read(true).write(true).open("/dev/fuse");
    let found = match &opened {
        Ok(_) => "can be opened".to_owned(),
        Err(e) => e.to_string(),
    };
    let remedy = "modprobe fuse; in a container, pass the device in (docker run --device /dev/fuse)";
    Check::new("/dev/fuse", true, State::of(opened.is_ok()), found, remedy)
}

fn privilege() -> Check {
    let admin = caps::has_cap(None, CapSet::Effective, Capability::CAP_SYS_ADMIN).unwrap_or(false);
    let uid = nix::unistd::Uid::effective();
    let found = format!("uid {uid}, {} CAP_SYS_ADMIN", if admin { "with" } else { "without" });
    let remedy = "run as root; in a container, add the capability (docker run --cap-add SYS_ADMIN)";
    Check::new("mount privilege", true, State::of(admin), found, remedy)
}

fn passthrough(release: &str) -> Check {
    let (state, found) = passthrough_of(release, kernel_config(release).as_deref());
    let remedy = match state {
        State::Unknown => "tried when a volume is mounted; `mediagate volume list` then says what came of it",
        _ => {
            "Linux 6.9 or later with CONFIG_FUSE_PASSTHROUGH=y; without it the service reads and writes itself"
        }
    };
    Check::new("passthrough", false, state, found, remedy)
}

/// What the kernel offered the volumes that are mounted: more than its version tells.
fn in_use(volumes: &[VolumeStatus]) -> Check {
    let state = match volumes {
        [] => State::Unknown,
        all => State::of(all.iter().all(|it| !it.passthrough.starts_with("off"))),
    };
    let each: Vec<String> = volumes.iter().map(|it| format!("{}: {}", it.name, it.passthrough)).collect();
    let found = if each.is_empty() { "no volume is attached".to_owned() } else { each.join("; ") };
    let remedy = match state {
        State::Unknown => "`mediagate volume attach`; the kernel says what it has when a volume is mounted",
        _ => "everything works without it; the service reads and writes itself there",
    };
    Check::new("passthrough in use", false, state, found, remedy)
}

fn passthrough_of(release: &str, config: Option<&str>) -> (State, String) {
    match (version(release), config.map(|config| has_option(config, "CONFIG_FUSE_PASSTHROUGH"))) {
        (None, _) => (State::Unknown, format!("cannot tell the version of kernel {release:?}")),
        (Some(version), _) if version < PASSTHROUGH_SINCE && has_legacy(version, release) => {
            (State::Unknown, format!("kernel {release} may have the older interface of Android's kernels"))
        }
        (Some(version), _) if version < PASSTHROUGH_SINCE => {
            (State::Missing, format!("kernel {release} is older than 6.9"))
        }
        (Some(_), Some(true)) => (State::Ok, format!("kernel {release} has it")),
        (Some(_), Some(false)) => (State::Missing, format!("kernel {release} was built without it")),
        (Some(_), None) => {
            (State::Unknown, format!("kernel {release} is new enough; how it was built is not said"))
        }
    }
}

/// Android's kernels from 5.10 to 6.6 have a passthrough of their own; whether one was built with it, INIT tells.
fn has_legacy(version: (u32, u32), release: &str) -> bool {
    ((5, 10)..=(6, 6)).contains(&version) && release.contains("android")
}

/// Major and minor of a kernel release such as `6.12.3-amd64` or `6.9-rc1`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn has_option(config: &str, option: &str) -> bool {
    config.lines().any(|line| line.strip_prefix(option).is_some_and(|rest| rest == "=y"))
}

/// How the running kernel was configured, from wherever distributions put it.
fn kernel_config(release: &str) -> Option<String> {
    let in_proc = "/proc/config.gz";
    if Path::new(in_proc).exists()
        && let Ok(output) =
            Command::new("gzip").args(["-dc", in_proc]).stdin(Stdio::null()).stderr(Stdio::null()).output()
        && output.status.success()
    {
        return String::from_utf8(output.stdout).ok();
    }
    [format!("/boot/config-{release}"), format!("/lib/modules/{release}/config")]
        .iter()
        .find_map(|file| fs::read_to_string(file).ok())
}

/// FUSE_DEV_IOC_BACKING_OPEN wants CAP_SYS_ADMIN of the initial user namespace (fuse_backing_open in
/// fs/fuse/backing.c), where a mount is content with that of its own namespace.
fn backing_privilege() -> Check {
    // Outside the initial one, the map of uids is not the identity over all of them (user_namespaces(7)).
    let initial = fs::read_to_string("/proc/self/uid_map")
        .is_ok_and(|map| map.split_whitespace().eq(["0", "0", "4294967295"]));
    let found = if initial { "in the initial user namespace" } else { "in a user namespace of its own" };
    let remedy = "run outside user namespaces (no rootless container); without it there is no passthrough";
    Check::new("user namespace", false, State::of(initial), found.to_owned(), remedy)
}

/// Root may, unless it was taken from it.
fn may_raise_limits() -> bool {
    caps::has_cap(None, caps::CapSet::Effective, caps::Capability::CAP_SYS_RESOURCE).unwrap_or(false)
}

/// Whether the kernel can serve an app's private directories without a bind. For information: nothing needs it.
fn inode_backing() -> Check {
    let (state, found) = match crate::private::inode_backing() {
        InodeBacking::Absent => (State::Missing, "the kernel has no FUSE-BPF"),
        InodeBacking::Kernel => {
            (State::Ok, "the kernel has FUSE-BPF, and no program is pinned for it; binds are used")
        }
        InodeBacking::Ready => {
            (State::Ok, "the kernel has FUSE-BPF, and a program is pinned for it; binds are used")
        }
    };
    let remedy = "nothing to do: some kernels of Android 14 and later have it; `mediagate run-as --private` binds apps' \
                  private directories without it";
    Check::new("inode backing", false, state, found.to_owned(), remedy)
}

fn open_files() -> Check {
    let remedy = "raise the hard limit: LimitNOFILE=65536 in the systemd unit, or ulimit -Hn 65536 as root";
    let (state, found) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((soft, hard)) if hard < OPEN_FILES && may_raise_limits() => {
            (State::Ok, format!("soft {soft}, hard {hard}; the service raises it"))
        }
        Ok((soft, hard)) => (State::of(hard >= OPEN_FILES), format!("soft {soft}, hard {hard}")),
        Err(errno) => (State::Unknown, errno.to_string()),
    };
    Check::new("open files", false, state, found, remedy)
}

/// Whether changes behind a mount can be noticed by one mark on the lower file system.
fn watch() -> Check {
    let (state, found) = match crate::watch::fanotify_is_possible() {
        Ok(()) => (State::Ok, "by fanotify, as far as the lower file system allows".to_owned()),
        Err(errno) => (State::Missing, format!("fanotify: {errno}; by inotify")),
    };
    let remedy = "Linux 5.17 or later with CONFIG_FANOTIFY, and CAP_SYS_ADMIN in the initial user namespace; inotify does, \
                  with one watch for each directory";
    Check::new("watch", false, state, found, remedy)
}

/// More directories than that are rare.
const WATCHES: u64 = 65_536;

fn watched_directories() -> Check {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_user_watches").ok();
    let limit: Option<u64> = limit.and_then(|it| it.trim().parse().ok());
    let (state, found) = match limit {
        Some(limit) => (State::of(limit >= WATCHES), format!("{limit} (fs.inotify.max_user_watches)")),
        None => (State::Missing, "no inotify".to_owned()),
    };
    let remedy = "where fanotify does not do: sysctl fs.inotify.max_user_watches=524288; a volume with more directories \
                  is not watched";
    Check::new("inotify watches", false, state, found, remedy)
}

/// The largest request, in pages (fs.fuse.max_pages_limit, since Linux 6.13; 256 before).
fn request_size() -> Check {
    let limit = fs::read_to_string("/proc/sys/fs/fuse/max_pages_limit").ok();
    let found = match limit.as_deref().map(str::trim) {
        Some(pages) => format!("up to {pages} pages (fs.fuse.max_pages_limit)"),
        None => "up to 256 pages".to_owned(),
    };
    Check::new("request size", false, State::Ok, found, "")
}

fn binder() -> Check {
    let device = crate::binder::driver();
    let found = match device {
        Some(device) => format!("{device} is there"),
        None => "no binder device".to_owned(),
    };
    let remedy = "only binder:// addresses need it: modprobe binder_linux devices=binder, or mount binderfs; \
                  unix:// works without";
    Check::new("binder", false, State::of(device.is_some()), found, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_versions() {
        assert_eq!(version("6.12.3-amd64"), Some((6, 12)));
        assert_eq!(version("6.9-rc1"), Some((6, 9)));
        assert_eq!(version("odd"), None);
    }

    #[test]
    fn passthrough_needs_the_version_and_the_option() {
        let with = Some("CONFIG_FUSE_FS=y\nCONFIG_FUSE_PASSTHROUGH=y\n");
        let without = Some("# CONFIG_FUSE_PASSTHROUGH is not set\nCONFIG_FUSE_PASSTHROUGH_X=y\n");
        assert_eq!(passthrough_of("6.12.1", with).0, State::Ok);
        assert_eq!(passthrough_of("6.9.0", with).0, State::Ok);
        assert_eq!(passthrough_of("6.8.12", with).0, State::Missing);
        assert_eq!(passthrough_of("6.12.1", without).0, State::Missing);
        assert_eq!(passthrough_of("6.12.1", None).0, State::Unknown);
        assert_eq!(passthrough_of("5.10.198-android13-4-00050-g12f3388846c3", with).0, State::Unknown);
        assert_eq!(passthrough_of("6.6.30-android15-8", None).0, State::Unknown);
        assert_eq!(passthrough_of("5.4.254-android12", None).0, State::Missing);
        assert_eq!(passthrough_of("", None).0, State::Unknown);
    }

    #[test]
    fn only_what_mounting_needs_decides() {
        let report = examine(None);
        let required: Vec<_> = report.checks.iter().filter(|check| check.required).collect();
        assert_eq!(required.len(), 3);
        assert_eq!(report.can_mount, required.iter().all(|check| check.state == State::Ok));
        for check in &report.checks {
            let helped = check.state == State::Ok || !check.remedy.is_empty();
            assert!(helped, "{} is missing and nothing says what to do", check.name);
        }
    }
}
