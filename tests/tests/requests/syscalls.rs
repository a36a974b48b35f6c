//! The service's own system calls for one request, seen by strace: each is a good part of what an open costs.

use std::collections::BTreeMap;
use std::process::{Child, Command};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;

/// By `include/uapi/linux/fuse.h`.
const LOOKUP: u32 = 1;
const OPEN: u32 = 14;
const RELEASE: u32 = 18;
const READDIR: u32 = 28;
const CREATE: u32 = 35;
const READDIRPLUS: u32 = 44;

/// Workers look for the next request by a call that is made again and again, until one comes: what a request needs is counted without.
fn sleepy() -> World {
    started(|config| config.service.busy_poll_us = 0)
}

/// System calls of the threads that answer requests, put to the request that they were made for.
struct Trace {
    tracer: Child,
    output: PathBuf,
}

impl Trace {
    /// Returns once every thread is being looked at.
    fn start(world: &mut World) -> Trace {
        let output = world.path("trace");
        let pid = world.daemon().pid();
        // The first bytes of what is read from the device are the request's length and its kind.
        let tracer = Command::new("strace")
            .args(["-f", "-qq", "-y", "-x", "-s", "8", "-e", "signal=none", "-o"])
            .arg(&output)
            .args(["-p", &pid.to_string()])
            .spawn()
            .expect("strace is missing: apt-get install --no-install-recommends strace");
        let begin = Instant::now();
        let traced = |task: &std::fs::DirEntry| {
            let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
            !status.contains("TracerPid:\t0")
        };
        while !std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().all(|task| traced(&task.unwrap())) {
            assert!(begin.elapsed() < PATIENCE, "strace does not get hold of the service");
            std::thread::sleep(Duration::from_millis(10));
        }
        Trace { tracer, output }
    }

    /// Mean number of system calls for each request of a kind, and what they were.
    fn end(mut self) -> BTreeMap<u32, Spent> {
        kill(Pid::from_raw(self.tracer.id().cast_signed()), Signal::SIGINT).unwrap();
        self.tracer.wait().unwrap();
        let text = std::fs::read_to_string(&self.output).unwrap();
        let mut doing: BTreeMap<&str, u32> = BTreeMap::new();
        let mut spent: BTreeMap<u32, Spent> = BTreeMap::new();
        for line in text.lines() {
            let Some((thread, call)) = line.split_once(' ') else { continue };
            let call = call.trim_start();
            if call.contains("</dev/fuse>") && call.starts_with("read(")
                || call.starts_with("<... read resumed>")
            {
                match kind(call) {
                    Some(kind) => {
                        doing.insert(thread, kind);
                        let spent = spent.entry(kind).or_default();
                        spent.requests += 1;
                        spent.note("read");
                    }
                    // Of another file: what is read for a request.
                    None if call.starts_with("<...") => {}
                    // The request is answered; the next one is waited for.
                    None => drop(doing.remove(thread)),
                }
                continue;
            }
            let made = call.split('(').next().unwrap_or_default();
            if call.contains("F_GETFD") {
                // The standard library looks whether a descriptor is open before it closes it, in debug builds only.
                continue;
            }
            if let (Some(kind), false) = (doing.get(thread), call.starts_with("<...")) {
                spent.entry(*kind).or_default().note(made);
            }
        }
        spent
    }
}

/// The kind of a request, if the line shows one that was read.
fn kind(call: &str) -> Option<u32> {
    let hex = call.split_once('"')?.1.split_once('"')?.0.replace("\\x", "");
    let bytes: Vec<u8> =
        (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
    Some(u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?))
}

#[derive(Debug, Default)]
struct Spent {
    requests: usize,
    calls: BTreeMap<String, usize>,
}

impl Spent {
    fn note(&mut self, call: &str) {
        *self.calls.entry(call.to_owned()).or_default() += 1;
    }

    fn each(&self) -> f64 {
        self.calls.values().sum::<usize>() as f64 / self.requests as f64
    }
}

/// Asserts that a request of this kind takes at most `most` on average: a thread that finds that another one was faster
/// reads once in vain, which is half a call too many now and then and never one each time.
fn at_most(spent: &BTreeMap<u32, Spent>, kind: u32, most: f64) {
    let spent = &spent[&kind];
    assert!(spent.requests >= TIMES, "{spent:?}");
    assert!(spent.each() < most + 0.5, "{} for each request, not {most}: {spent:?}", spent.each());
}

/// A file that is opened again and again: its descriptor and its backing file are kept, and the owner is on the node.
#[test]
fn of_an_open_a_read_and_a_close() {
    let mut world = sleepy();
    let mut app = world.app(OWNER);
    directory(&world, &mut app, "opened");
    let files = paths(&world, "opened", "txt");
    files.iter().for_each(|path| app.create(path, &[b'x'; 4096]).unwrap());
    for _ in 0..3 {
        read_each(&mut app, &files);
    }
    let trace = Trace::start(&mut world);
    for _ in 0..5 {
        read_each(&mut app, &files);
    }
    settled(&mut world);
    let spent = trace.end();
    at_most(&spent, OPEN, 2.0);
    at_most(&spent, RELEASE, 2.0);
}

#[test]
fn of_a_create() {
    let mut world = sleepy();
    let mut app = world.app(OWNER);
    directory(&world, &mut app, "created");
    app.create(world.shared("Download/created/first.txt"), b"first").unwrap();
    let files = paths(&world, "created", "txt");
    let trace = Trace::start(&mut world);
    files.iter().for_each(|path| app.create(path, &[b'x'; 4096]).unwrap());
    settled(&mut world);
    let spent = trace.end();
    // The request and its answer; a look, by the directory that is kept open, at what is not there.
    at_most(&spent, LOOKUP, 3.0);
    // The request and its answer; the file is made, told whose it is, looked at and registered.
    at_most(&spent, CREATE, 6.0);
    // The request and its answer, size and time for the index, and now and then a wake of who writes it.
    at_most(&spent, RELEASE, 4.0);
}

/// A directory in which nothing has come or gone for a while is listed by the index's rows: the files are not looked at.
#[test]
fn of_a_listing_for_who_sees_a_part() {
    let mut world = sleepy();
    let (mut owner, mut app) = (world.app(OWNER), world.app(FRAME));
    directory(&world, &mut owner, "listed");
    for path in paths(&world, "listed", "txt") {
        owner.create(&path, b"letter").unwrap();
    }
    world.daemon().wait_until_indexed();
    let listed = world.shared("Download/listed");
    // What came just now is looked at.
    let begin = Instant::now();
    while looks(&mut world, &mut app, &listed) > 3 {
        assert!(begin.elapsed() < PATIENCE, "each of {TIMES} files is looked at");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Nor are they where nothing was listed before: the scan after the start has looked at them.
#[test]
fn of_a_first_listing_for_who_sees_a_part() {
    let mut world = sleepy();
    let mut owner = world.app(OWNER);
    directory(&world, &mut owner, "listed");
    for path in paths(&world, "listed", "txt") {
        owner.create(&path, b"letter").unwrap();
    }
    drop(owner);
    assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
    // A change of just now could be followed by one of the same time.
    std::thread::sleep(Duration::from_secs(3));
    world.start();
    world.daemon().wait_until_indexed();
    let mut app = world.app(FRAME);
    let listed = world.shared("Download/listed");
    let looks = looks(&mut world, &mut app, &listed);
    assert!(looks <= 3, "{looks} looks at {TIMES} files");
}

/// How often anything was looked at for a listing that shows nothing.
fn looks(world: &mut World, app: &mut Actor, listed: &Path) -> usize {
    let trace = Trace::start(world);
    assert_eq!(app.list(listed).unwrap(), [""; 0]);
    settled(world);
    let spent = trace.end();
    let of = |kind| spent.get(&kind).and_then(|it: &Spent| it.calls.get("statx")).copied().unwrap_or(0);
    of(READDIR) + of(READDIRPLUS)
}
