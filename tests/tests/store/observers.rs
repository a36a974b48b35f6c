//! Observers: who hears of what, and what becomes of one that is slow or gone.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mediagate_tests::World;
use serde_json::Value;

use crate::stage::{APP, CAMERA, GALLERY, ask, fill, id, program, world};

/// A `watch` that runs as an app.
struct Watcher {
    child: Child,
    lines: std::sync::mpsc::Receiver<Value>,
}

impl Watcher {
    fn start(world: &mut World, package: &str, options: &[&str]) -> Watcher {
        Self::try_start(world, package, options).expect("nothing was told")
    }

    /// `None` if it ends without a word, as one does that is one too many.
    fn try_start(world: &mut World, package: &str, options: &[&str]) -> Option<Watcher> {
        let (program, address) = (program(world), world.daemon().address().to_owned());
        let mut child = Command::new(mediagate_tests::actor::program("mediagate-tested"))
            .args(["--connect", &address, "run-as", package, "--"])
            .arg(program)
            .args(["--connect", &address, "watch", "--json"])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = std::sync::mpsc::channel();
        let stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        let watcher = Watcher { child, lines };
        let first = watcher.lines.recv_timeout(Duration::from_secs(20)).ok()?;
        assert_eq!(first["watching"], true);
        Some(watcher)
    }

    fn next(&mut self) -> Value {
        self.lines.recv_timeout(Duration::from_secs(20)).expect("nothing was told")
    }

    /// Whatever is told until a change of this file by another one's hand.
    fn until(&mut self, kind: &str, id: &str) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let it = self.next();
            let found = it["kind"] == kind && shown(&it["id"]) == id;
            all.push(it);
            if found {
                return all;
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until so many files' facts are in the catalog: that is a change of its own.
fn wait_for_facts(world: &mut World, count: i64) {
    let begin = Instant::now();
    while world.daemon().stat("scan.facts_read") < count {
        assert!(begin.elapsed() < Duration::from_secs(20), "the files are not read");
        std::thread::sleep(Duration::from_millis(10));
    }
    // What is queued by now is answered from.
    ask(world, Some(CAMERA), &["query", "--count"]);
}

#[test]
fn observers_hear_of_what_they_may_see() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    fill(&world, &mut camera);
    wait_for_facts(&mut world, 3);
    let (picture, pdf) = (id(&mut world, "DCIM/a.jpg"), id(&mut world, "Download/d.pdf"));
    let mut gallery = Watcher::start(&mut world, GALLERY, &[]);
    let mut own = Watcher::start(&mut world, CAMERA, &[]);
    let mut nobody = Watcher::start(&mut world, APP, &[]);
    ask(&mut world, Some(CAMERA), &["update", &pdf, "--name", "e.pdf"]);
    ask(&mut world, Some(CAMERA), &["favorite", &picture]);
    let heard = gallery.until("changed", &picture);
    assert!(heard.iter().all(|it| shown(&it["id"]) == picture), "{heard:?}");
    own.until("changed", &pdf);
    own.until("changed", &picture);
    // Into the trash it goes out of view for its owner, too, who does not look there.
    ask(&mut world, Some(CAMERA), &["trash", &picture]);
    own.until("removed", &picture);
    ask(&mut world, Some(CAMERA), &["untrash", &picture]);
    gallery.until("changed", &picture);
    ask(&mut world, Some(CAMERA), &["delete", &picture]);
    gallery.until("removed", &picture);
    own.until("removed", &picture);
    // Directories of others, renamed, hidden and shown.
    camera.mkdir(world.shared("Download/dir")).unwrap();
    camera.create(world.shared("Download/dir/e.pdf"), b"x").unwrap();
    let inner = id(&mut world, "Download/dir/e.pdf");
    camera.rename(world.shared("Download/dir"), world.shared("Download/other")).unwrap();
    own.until("many", "0");
    ask(&mut world, Some(CAMERA), &["delete", &inner]);
    own.until("removed", &inner);
    world.app(APP).create(world.shared("Download/mine.txt"), b"x").unwrap();
    let mine = id(&mut world, "Download/mine.txt");
    let heard = nobody.until("added", &mine);
    assert!(heard.iter().all(|it| shown(&it["id"]) == mine), "{heard:?}");
}

#[test]
fn a_slow_observer_is_told_that_it_missed_something() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    let mut slow = Watcher::start(&mut world, CAMERA, &[]);
    let pid = nix::unistd::Pid::from_raw(slow.child.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGSTOP).unwrap();
    for number in 0..3000 {
        camera.create(world.shared(format!("DCIM/{number}.jpg")), b"").unwrap();
    }
    // Meanwhile everybody else is served.
    assert_eq!(ask(&mut world, Some(CAMERA), &["query", "--count"])["count"], 3000);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGCONT).unwrap();
    let begin = Instant::now();
    loop {
        let it = slow.next();
        if it["kind"] == "many" && it["missed"].as_u64().unwrap() > 0 {
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn observers_end_with_their_process() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    // More than one uid may have at once. That one has died is noticed a moment later.
    let begin = Instant::now();
    let mut died = 0;
    while died < 70 {
        if let Some(mut watcher) = Watcher::try_start(&mut world, CAMERA, &["--count", "1"]) {
            watcher.child.kill().unwrap();
            watcher.child.wait().unwrap();
            died += 1;
        } else {
            // One too many, or one that came too soon: a uid has 20 connections a second.
            std::thread::sleep(Duration::from_millis(100));
        }
        assert!(begin.elapsed() < Duration::from_secs(120), "the dead are still there");
    }
    let mut last = Watcher::start(&mut world, CAMERA, &[]);
    camera.create(world.shared("DCIM/a.jpg"), b"").unwrap();
    let file = id(&mut world, "DCIM/a.jpg");
    last.until("added", &file);
}

/// An id as the command line prints it.
fn shown(id: &serde_json::Value) -> String {
    id.to_string()
}
