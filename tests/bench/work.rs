//! The workloads, and the order in which they are done.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::subject::{OWNER, Running, Subject};
use crate::{Plan, Values};

/// Entries of the directory that is listed; a third are pictures.
const ENTRIES: usize = 10_000;
/// As many files as the tree of the original's report about a slow `rm -r`.
const TREE: usize = 5787;

/// What a run found.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// By workload (with its unit) and subject.
    pub(crate) values: Values,
    /// Requests for one operation, of ours: by workload, then by kind.
    pub(crate) requests: BTreeMap<String, BTreeMap<String, f64>>,
    pub(crate) missing: Vec<&'static str>,
}

impl Measured {
    fn note(&mut self, workload: &str, subject: Subject, value: f64) {
        self.values.entry((workload.to_owned(), subject.name().to_owned())).or_default().push(value);
    }
}

/// Does everything; `after_round` is shown what is known so far.
pub(crate) fn run(plan: &Plan, mut after_round: impl FnMut(&Measured)) {
    let begin = Instant::now();
    let mut measured = Measured::default();
    prepare(plan);
    let (there, missing): (Vec<_>, Vec<_>) = Subject::ALL.into_iter().partition(|it| it.is_there());
    measured.missing = missing.into_iter().map(Subject::name).collect();
    for round in 0..plan.rounds() {
        for turn in 0..there.len() {
            // Each round begins with another one.
            let subject = there[(turn + round) % there.len()];
            eprintln!(
                "bench: {:4} s, round {} of {}, {}",
                begin.elapsed().as_secs(),
                round + 1,
                plan.rounds(),
                subject.name()
            );
            pinned(plan, subject, &mut measured);
            // The slow half: trees and data are less sensitive to where things run.
            if !plan.quick || round == 0 {
                free(plan, subject, &mut measured);
            }
        }
        after_round(&measured);
    }
}

fn own(path: &Path) {
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(path, "user.mediagate.owner", OWNER.0.as_bytes(), flags).unwrap();
}

/// The files that every subject shows.
fn prepare(plan: &Plan) {
    let lower = plan.work.join("disk/lower/0/Download");
    let open = |path: &Path| {
        std::fs::create_dir_all(path).unwrap();
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    };
    for dir in ["flat", "new", "list", "tree", "data"] {
        open(&lower.join(dir));
    }
    for number in 0..plan.files() {
        for ending in ["txt", "jpg"] {
            let path = lower.join(format!("flat/{number}.{ending}"));
            std::fs::write(&path, [b'x'; 4096]).unwrap();
            own(&path);
        }
    }
    for number in 0..ENTRIES {
        let ending = if number % 3 == 0 { "jpg" } else { "txt" };
        let path = lower.join(format!("list/{number}.{ending}"));
        std::fs::write(&path, b"").unwrap();
        own(&path);
    }
    for number in 0..TREE {
        let dir = lower.join(format!("tree/{}", number / 58));
        if number % 58 == 0 {
            open(&dir);
        }
        let path = dir.join(format!("{number}.txt"));
        std::fs::write(&path, vec![b'y'; 512 + (number * 97) % 16_384]).unwrap();
        own(&path);
    }
    let path = lower.join("data/data.txt");
    std::fs::write(&path, vec![7; 64 << 20]).unwrap();
    own(&path);
}

/// Starts the client; microseconds of one operation, and the latency of open.
fn client(running: &Running, pinned: bool, workload: &str, dir: &str, count: usize) -> serde_json::Value {
    let mut child = client_process(running, if pinned { "1" } else { "0-1" }, workload, dir, count);
    let said = child.stdout.take().map(std::io::read_to_string).unwrap().unwrap();
    let ended = child.wait().unwrap();
    assert!(ended.success(), "{}: {workload} failed; what it said is above", running.subject.name());
    serde_json::from_str(&said).unwrap()
}

fn client_process(
    running: &Running,
    cpus: &str,
    workload: &str,
    dir: &str,
    count: usize,
) -> std::process::Child {
    let mut command = Command::new("taskset");
    command.args(["-c", cpus]).arg(std::env::current_exe().unwrap());
    command.args(["client", &running.subject.uid().to_string(), workload]);
    command.arg(running.dir.join(dir)).arg(count.to_string());
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// Operation by operation, everything on one CPU.
fn pinned(plan: &Plan, subject: Subject, measured: &mut Measured) {
    let count = plan.files();
    // Who sees a third opens what is in that third.
    let plain = subject != Subject::Partial;
    let open = if plain { "open plain" } else { "open" };
    let mut steps: Vec<(&str, &str, &str)> = vec![
        ("stat, fresh mount (µs)", if plain { "stat plain" } else { "stat" }, ""),
        ("stat, warm (µs)", if plain { "stat plain" } else { "stat" }, ""),
        ("stat of a missing name (µs)", "missing", ""),
        ("stat of a missing name, again (µs)", "missing", ""),
        ("open+read 4 KiB+close, first (µs)", open, ""),
        ("", open, ""),
        ("open+read 4 KiB+close (µs)", open, ""),
        ("readdir, fresh mount (µs an entry)", "readdir", "flat"),
        ("readdir+stat, fresh mount (µs an entry)", "readdir+stat", "list"),
        ("readdir+stat, again (µs an entry)", "readdir+stat", "list"),
    ];
    if plain {
        steps.extend([
            ("open+read 4 KiB+close of a picture (µs)", "open", ""),
            ("create+write 4 KiB+close (µs)", "create", ""),
            ("rename (µs)", "rename", ""),
            ("unlink (µs)", "unlink", ""),
            ("open and hold (µs)", "hold", ""),
        ]);
    }
    if !steps.iter().any(|(name, ..)| plan.wants(name)) && !plan.wants("ls -l") {
        return;
    }
    let running = subject.start(plan, true);
    for (name, workload, dir) in steps {
        if *name == *"open+read 4 KiB+close of a picture (µs)" {
            // Known first: what a picture tells is looked for once.
            client(&running, true, workload, dir, count);
        }
        let before = running.requests();
        let said = client(&running, true, workload, dir, count);
        if name.is_empty() {
            continue;
        }
        measured.note(name, subject, said["us"].as_f64().unwrap());
        if name == "open+read 4 KiB+close (µs)" {
            for part in ["p50", "p99", "max"] {
                measured.note(&format!("open(2), {part} (µs)"), subject, said[part].as_f64().unwrap());
            }
        }
        if subject == Subject::Owner && dir.is_empty() {
            let each = running.requests().into_iter().map(|(kind, after)| {
                let spent = after - before.get(&kind).unwrap_or(&0.0);
                (kind, (spent / count as f64 * 100.0).round() / 100.0)
            });
            measured.requests.insert(name.to_owned(), each.filter(|(_, it)| *it > 0.0).collect());
        }
    }
    if let Some((seconds, resident)) = running.spent() {
        measured.note("CPU time of the daemon for all of these (s)", subject, seconds);
        measured.note("memory of the daemon (MiB)", subject, resident);
    }
    drop(running);
    for name in ["ls -ln, fresh mount (µs an entry)", "ls -ln, again (µs an entry)"] {
        if !plan.wants(name) {
            return;
        }
    }
    let running = subject.start(plan, true);
    for name in ["ls -ln, fresh mount (µs an entry)", "ls -ln, again (µs an entry)"] {
        let begin = Instant::now();
        let listed = as_app(&running, "1", "ls", &["-ln", running.dir.join("list").to_str().unwrap()]);
        let entries = listed.iter().filter(|it| **it == b'\n').count();
        measured.note(name, subject, begin.elapsed().as_secs_f64() * 1e6 / entries as f64);
    }
}

/// Runs a program as the subject's app and gives what it said.
fn as_app(running: &Running, cpus: &str, program: &str, arguments: &[&str]) -> Vec<u8> {
    let uid = running.subject.uid().to_string();
    let mut command = Command::new("taskset");
    command.args(["-c", cpus, "setpriv", "--reuid", &uid, "--regid", &uid, "--clear-groups"]);
    let said = command.arg(program).args(arguments).stderr(Stdio::inherit()).output().unwrap();
    assert!(said.status.success(), "{}: {program} {arguments:?} failed", running.subject.name());
    said.stdout
}

/// Trees, data and two processes, wherever the scheduler puts them.
fn free(plan: &Plan, subject: Subject, measured: &mut Measured) {
    // They differ in listings and decisions, not in trees and data.
    if matches!(subject, Subject::Partial | Subject::Full) {
        return;
    }
    let trees: [(&str, &str); 5] = [
        ("find, fresh mount (ms)", "find tree -size +1G"),
        ("grep -r (ms)", "grep -r zzz tree || test $? = 1"),
        ("tar c (ms)", "tar cf - tree | cat >/dev/null"),
        ("cp -r of 5,787 files (ms)", "cp -r tree copy"),
        ("rm -r of 5,787 files (ms)", "rm -r copy"),
    ];
    let running = subject.start(plan, false);
    // The copy is made where its maker may make things.
    for (name, script) in
        trees.iter().filter(|(name, _)| plan.wants(name) || name.contains("5,787") && plan.wants("5,787"))
    {
        let begin = Instant::now();
        as_app(&running, "0-1", "sh", &["-c", &format!("cd {:?} && {{ {script}; }}", running.dir)]);
        measured.note(name, subject, begin.elapsed().as_secs_f64() * 1e3);
    }
    if plan.wants("two processes") {
        let count = plan.files();
        client(&running, false, "open plain", "", count);
        let begin = Instant::now();
        let both: Vec<_> =
            ["0", "1"].map(|cpu| client_process(&running, cpu, "open plain", "", count)).into();
        let took: Vec<f64> = both
            .into_iter()
            .map(|child| {
                let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
                serde_json::from_str::<serde_json::Value>(&said).unwrap()["us"].as_f64().unwrap()
            })
            .collect();
        assert!(begin.elapsed().as_secs() < 60);
        let one = client(&running, false, "open plain", "", count)["us"].as_f64().unwrap();
        let both = 1.0 / took.iter().map(|us| 1.0 / us).sum::<f64>();
        measured.note("two processes, open+read 4 KiB+close (µs)", subject, both);
        measured.note("two processes against one (times as many opens)", subject, one / both);
    }
    let data: [(&str, &str); 8] = [
        ("read 1 MiB, sequential (MiB/s)", "--rw=read --bs=1M"),
        ("read 4 KiB, random (MiB/s)", "--rw=randread --bs=4k"),
        ("read 4 KiB, random, two jobs (MiB/s)", "--rw=randread --bs=4k --numjobs=2"),
        ("read, mmap (MiB/s)", "--rw=read --bs=128k --ioengine=mmap"),
        ("write 1 MiB, sequential (MiB/s)", "--rw=write --bs=1M"),
        ("write 4 KiB, random (MiB/s)", "--rw=randwrite --bs=4k"),
        ("write, mmap (MiB/s)", "--rw=write --bs=128k --ioengine=mmap"),
        ("read 1 MiB, O_DIRECT (MiB/s)", "--rw=read --bs=1M --direct=1"),
    ];
    for (name, options) in data.iter().filter(|(name, _)| plan.wants(name)) {
        // bindfs does not serve O_DIRECT on such a file; who refuses something has no value there.
        let runtime = if plan.quick { "0.2" } else { "2" };
        let file = running.dir.join("data/data.txt");
        let script = format!(
            "fio --name=x --filename={} --size=64M --time_based --runtime={runtime} --invalidate=0 --fallocate=none \
             --group_reporting --output-format=json {options} 2>/dev/null || true",
            file.display()
        );
        let said = as_app(&running, "0-1", "sh", &["-c", &script]);
        let from = said.iter().position(|it| *it == b'{').unwrap_or(said.len());
        let Ok(said) = serde_json::from_slice::<serde_json::Value>(&said[from..]) else { continue };
        let job = &said["jobs"][0];
        let rate =
            ["read", "write"].map(|way| job[way]["bw_bytes"].as_f64().unwrap_or(0.0)).iter().sum::<f64>();
        if rate > 0.0 {
            measured.note(name, subject, rate / f64::from(1 << 20));
        }
    }
}
