//! A service in a process of its own, started as a user would start it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::actor::program;

/// Longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `mediagate serve`. Killed when dropped, and its mounts are taken away.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    address: String,
    mounts: Vec<PathBuf>,
}

impl Daemon {
    /// Starts it and waits until it says that it is ready. `mounts` are unmounted at the end in any case.
    /// Clients reach it at `address`.
    pub fn start(config: &Path, address: &str, mounts: Vec<PathBuf>) -> Daemon {
        let mut child = Command::new(program("mediagate-tested"))
            .args(["serve", "--config"])
            .arg(config)
            .env("MEDIAGATE_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the service");
        let stdout = child.stdout.take().expect("stdout");
        let (sender, ready) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let daemon = Daemon { child, address: address.to_owned(), mounts };
        match ready.recv_timeout(PATIENCE) {
            Ok(line) => assert_eq!(line, "ready"),
            Err(error) => panic!("the service did not become ready ({error}); what it said is above"),
        }
        daemon
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its user and system time so far, also that of threads that have ended.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("read its stat");
        let rest = stat.rsplit(')').next().expect("the name ends");
        // utime and stime, in ticks of 10 ms.
        let ticks: u64 =
            rest.split_whitespace().skip(11).take(2).map(|it| it.parse::<u64>().expect("a number")).sum();
        Duration::from_millis(ticks * 10)
    }

    /// The address of its interface.
    pub fn address(&self) -> &str {
        &self.address
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("signal the service");
    }

    fn wait(&mut self) -> ExitStatus {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("wait") {
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the service did not end");
    }

    /// Sends a signal and waits for the end.
    pub fn stop(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.wait()
    }

    /// Runs a client command as root; panics if it fails.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = self.try_cli(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Runs a client command as root.
    pub fn try_cli(&self, arguments: &[&str]) -> Output {
        Command::new(program("mediagate-tested"))
            .args(["--connect", &self.address])
            .args(arguments)
            .output()
            .expect("run the client")
    }

    /// One number of `stats`.
    pub fn stat(&self, name: &str) -> i64 {
        let [value] = self.numbers([name]);
        value
    }

    /// Descriptors that the process holds, but for those that it keeps on purpose: of the catalog's readers (the database and
    /// its log), which are opened as reads happen beside each other, of parked files, and of directories that are kept open.
    pub fn descriptors(&self) -> i64 {
        let names = ["process.open_fds", "catalog.readers", "backing.parked", "lower.directories"];
        let [all, readers, parked, dirs] = self.numbers(names);
        all - 2 * readers - parked - dirs
    }

    /// Several numbers of `stats`, of one moment.
    pub fn numbers<const N: usize>(&self, names: [&str; N]) -> [i64; N] {
        let stats: Vec<serde_json::Value> =
            serde_json::from_str(&self.cli(&["stats", "--json"])).expect("stats are JSON");
        names.map(|name| {
            let found = stats.iter().find(|stat| stat["name"] == name);
            found.and_then(|stat| stat["value"].as_i64()).unwrap_or_else(|| panic!("no number {name:?}"))
        })
    }

    /// How many requests of each kind came so far, but for FORGET, which comes whenever the kernel wants memory.
    pub fn requests(&self) -> BTreeMap<String, i64> {
        let stats: Vec<serde_json::Value> =
            serde_json::from_str(&self.cli(&["stats", "--json"])).expect("stats are JSON");
        let counted = stats.iter().filter_map(|stat| {
            let name = stat["name"].as_str()?.strip_prefix("fuse.requests.")?;
            Some((name.to_owned(), stat["value"].as_i64()?))
        });
        counted.filter(|(name, _)| name != "forget").collect()
    }

    /// Lets go of a service that has ended without taking its mounts away.
    pub fn leave_mounts(mut self) {
        self.mounts.clear();
        self.wait();
    }

    /// Waits until every volume's index is up to date.
    pub fn wait_until_indexed(&self) {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            let volumes: Vec<serde_json::Value> =
                serde_json::from_str(&self.cli(&["volume", "list", "--json"])).expect("volumes are JSON");
            if volumes.iter().all(|volume| volume["indexed"] == true) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the index did not come up to date: {}", self.cli(&["volume", "list", "--json"]));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for mount in &self.mounts {
            // EINVAL: it was unmounted in an orderly way.
            let _ = nix::mount::umount2(mount, nix::mount::MntFlags::MNT_DETACH);
        }
    }
}
