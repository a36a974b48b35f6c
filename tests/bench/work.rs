//! The order in which things are measured, and the processes that are measured.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::measured::Measured;
use crate::subject::{OWNER, Place, Running, Subject};
use crate::{Plan, anywhere, data, large, listing, load, pair, single, tree};

/// As many files as the tree of the original's report about a slow `rm -r`.
const TREE: usize = 5787;
/// Entries of the two listings. A third are pictures.
pub(crate) const MANY: usize = 10_000;
pub(crate) const VERY_MANY: usize = 100_000;
/// Where nothing is pinned.
pub(crate) const ANYWHERE: &str = "0-1";
/// Where client and daemon share one CPU.
pub(crate) const PINNED: &str = "1";

/// Does everything; `after_round` is shown what is known so far.
pub(crate) fn run(plan: &Plan, mut after_round: impl FnMut(&Measured)) {
    let begin = Instant::now();
    let mut measured = Measured::default();
    let (there, missing): (Vec<_>, Vec<_>) = Subject::ALL.into_iter().partition(|it| it.is_there());
    measured.missing = missing.into_iter().map(Subject::name).collect();
    let (main, huge) = (Place::of(plan, "main"), Place::of(plan, "huge"));
    prepare(plan, &main);
    for round in 0..plan.rounds() {
        for turn in 0..there.len() {
            // Each round begins with another one.
            let subject = there[(turn + round) % there.len()];
            let seconds = begin.elapsed().as_secs();
            eprintln!("bench: {seconds:4} s, round {} of {}, {}", round + 1, plan.rounds(), subject.name());
            // Where there is one CPU for all nobody polls; it is no matter of bytes and listings either.
            let polls = subject != Subject::Sleepy;
            if polls {
                single::measure(plan, &main, subject, &mut measured);
            }
            // They differ in listings and decisions, not in trees and data.
            let differs = !matches!(subject, Subject::Partial | Subject::Full);
            // The portal takes two minutes for each.
            let differs = differs && (subject != Subject::Portal || round == 0);
            if round < plan.slow_rounds() && differs {
                anywhere::measure(plan, &main, subject, &mut measured);
                tree::measure(plan, &main, subject, &mut measured);
                pair::measure(plan, &main, subject, &mut measured);
            }
            if round < plan.slowest_rounds() && differs && polls {
                data::measure(plan, &main, subject, &mut measured);
            }
            // The portal takes half a minute for each.
            if round < plan.slowest_rounds()
                && polls
                && (subject != Subject::Portal || round == 0 && !plan.quick)
            {
                listing::measure(plan, &huge, subject, &mut measured);
            }
        }
        if round < plan.slow_rounds() {
            eprintln!("bench: {:4} s, round {}, under load", begin.elapsed().as_secs(), round + 1);
            load::measure(plan, round, &mut measured);
        }
        after_round(&measured);
    }
    eprintln!("bench: {:4} s, size", begin.elapsed().as_secs());
    large::measure(plan, &huge, &mut measured);
    after_round(&measured);
    eprintln!("bench: {:4} s, done", begin.elapsed().as_secs());
}

/// Records the owner, as the service does.
pub(crate) fn own(path: &Path) {
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(path, "user.mediagate.owner", OWNER.0.as_bytes(), flags).unwrap();
}

/// A directory that everybody may change.
pub(crate) fn open_dir(path: &Path) {
    std::fs::create_dir_all(path).unwrap();
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
}

/// Empty files, a third of them pictures.
pub(crate) fn fill(dir: &Path, count: usize) {
    open_dir(dir);
    for number in 0..count {
        let ending = if number % 3 == 0 { "jpg" } else { "txt" };
        let path = dir.join(format!("{number}.{ending}"));
        std::fs::File::create_new(&path).unwrap();
        own(&path);
    }
}

/// The files that every subject shows.
pub(crate) fn prepare(plan: &Plan, place: &Place) {
    let dir = place.dir();
    for name in ["flat", "new", "tree", "data"] {
        open_dir(&dir.join(name));
    }
    for number in 0..plan.files() {
        for ending in ["txt", "jpg"] {
            let path = dir.join(format!("flat/{number}.{ending}"));
            std::fs::write(&path, [b'x'; 4096]).unwrap();
            own(&path);
        }
    }
    // One for each way of listing it, which has then not been touched since the mount.
    for name in ["list-a", "list-b", "list-c"] {
        fill(&dir.join(name), MANY);
    }
    for number in 0..TREE {
        let within = dir.join(format!("tree/{}", number / 58));
        if number % 58 == 0 {
            open_dir(&within);
        }
        let path = within.join(format!("{number}.txt"));
        std::fs::write(&path, vec![b'y'; 512 + (number * 97) % 16_384]).unwrap();
        own(&path);
    }
    // The lower file system knows of each of them that it is not there, whoever asks first.
    for number in 0..plan.files() {
        let _ = std::fs::symlink_metadata(dir.join(format!("flat/{number}.none")));
    }
    let path = dir.join("data/data.txt");
    std::fs::write(&path, vec![7; 64 << 20]).unwrap();
    own(&path);
}

/// A program that is started on these CPUs and does not hang for ever.
fn on(cpus: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "120", "taskset", "-c", cpus]);
    command
}

fn client_command(running: &Running, cpus: &str, workload: &str, dir: &str, count: usize) -> Command {
    let mut command = on(cpus);
    command.arg(std::env::current_exe().unwrap());
    command.args(["client", &running.subject.uid().to_string(), workload]);
    command.arg(running.dir.join(dir)).arg(count.to_string()).stdout(Stdio::piped());
    command
}

/// Does one workload once; nothing if it failed, and then it has said why.
pub(crate) fn client(
    running: &Running,
    cpus: &str,
    workload: &str,
    dir: &str,
    count: usize,
) -> Option<Value> {
    let said = client_command(running, cpus, workload, dir, count).stderr(Stdio::inherit()).output().unwrap();
    said.status.success().then(|| serde_json::from_slice(&said.stdout).unwrap())
}

/// Runs a program as the subject's app and gives what it said; nothing if it failed.
pub(crate) fn as_app(running: &Running, cpus: &str, program: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    let uid = running.subject.uid().to_string();
    let mut command = on(cpus);
    command.args(["setpriv", "--reuid", &uid, "--regid", &uid, "--clear-groups", program]).args(arguments);
    let said = command.stderr(Stdio::inherit()).output().unwrap();
    said.status.success().then_some(said.stdout)
}

/// A client that works for a while, from when it is told to begin.
pub(crate) struct Lasting {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Lasting {
    /// Returns when it is ready. `part`: every second file only.
    pub(crate) fn new(
        running: &Running,
        workload: &str,
        count: usize,
        seconds: f64,
        part: Option<usize>,
    ) -> Option<Lasting> {
        let mut command = client_command(running, ANYWHERE, workload, "", count);
        command.arg(seconds.to_string()).arg(part.map_or("all".to_owned(), |it| it.to_string()));
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        if line != "ready\n" {
            let _ = child.wait();
            return None;
        }
        Some(Lasting { child, out })
    }

    pub(crate) fn begin(&mut self) {
        self.child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }

    /// What it says at its end.
    pub(crate) fn end(mut self) -> Option<Value> {
        let said = std::io::read_to_string(&mut self.out).unwrap();
        self.child.wait().unwrap().success().then(|| serde_json::from_str(&said).unwrap())
    }
}
