//! What grows with the number of files: the start with a large catalog, and memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mediagate::catalog::{Catalog, FileKey, FileRow};
use mediagate::observe::Observer;

use crate::Plan;
use crate::measured::Measured;
use crate::subject::{OWNER, Place, Running, Subject};
use crate::work::{ANYWHERE, as_app, fill};

const READY: &str = "start to ready, catalog of 1,000,000 rows (ms)";
const ROWS: u64 = 1_000_000;
const NODES: &str = "cached nodes after find (thousands)";
const EACH: &str = "memory per cached node (B)";
const ALL: &str = "memory of the daemon, all of these cached (MiB)";

pub(crate) fn measure(plan: &Plan, huge: &Place, measured: &mut Measured) {
    if plan.wants(READY) {
        ready(plan, measured);
    }
    if [NODES, EACH, ALL].iter().any(|it| plan.wants(it)) {
        memory(plan, huge, measured);
    }
}

/// The rows are there and the files are not, which a start does not wait to find out, and which leaves the rows alone.
fn ready(plan: &Plan, measured: &mut Measured) {
    let place = Place::of(plan, "rows");
    std::fs::create_dir_all(place.dir()).unwrap();
    // The volume is known under the name of its file system.
    drop(Subject::Owner.start(plan, &place, false));
    let catalog = Catalog::open(&place.root.join("state"), Arc::new(Observer::default())).unwrap();
    let volume = catalog.volume("external_primary", "emulated").unwrap();
    for number in 0..ROWS {
        let dir = format!("Download/{}", number / 1000).into_bytes();
        let key = FileKey { volume, user: 0, dir, name: format!("{number}.txt").into_bytes() };
        let row = FileRow {
            owner: Some(OWNER.0.into()),
            mime: "text/plain".into(),
            // Of inodes that are not there.
            ino: number + (1 << 40),
            birth: 1,
            ..FileRow::default()
        };
        catalog.upsert(key, row);
        if number % 4096 == 0 {
            catalog.flush().unwrap();
        }
    }
    catalog.flush().unwrap();
    catalog.close();
    drop(catalog);
    for _ in 0..5 {
        let running = Subject::Owner.start_ours(plan, &place);
        measured.note(READY, Subject::Owner, running.ready.as_secs_f64() * 1e3);
        // So that the next start finds as much work as this one did.
        running.wait_until_indexed();
    }
}

/// What `find` leaves in memory, of an app that sees everything: what is resident is compared with what was before.
fn memory(plan: &Plan, huge: &Place, measured: &mut Measured) {
    let million = Place::of(plan, "million");
    let place = if plan.quick {
        crate::listing::prepare(huge);
        huge
    } else {
        for dir in 0..1000 {
            fill(&million.dir().join(dir.to_string()), 1000);
        }
        // The catalog is filled by a service that is not the one that is measured.
        drop(Subject::Full.start(plan, &million, false));
        &million
    };
    let running = Subject::Full.start(plan, place, false);
    let (nodes, resident) = (running.stat("nodes"), settled(&running));
    as_app(&running, ANYWHERE, "find", &[running.dir.to_str().unwrap(), "-size", "+1G"]).unwrap();
    let (more, after) = (running.stat("nodes") - nodes, settled(&running));
    measured.note(NODES, Subject::Full, more / 1e3);
    measured.note(EACH, Subject::Full, (after - resident) * f64::from(1 << 20) / more);
    measured.note(ALL, Subject::Full, after);
}

/// MiB, once they do not change any more.
fn settled(running: &Running) -> f64 {
    let begin = Instant::now();
    let mut last = running.resident().unwrap();
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let now = running.resident().unwrap();
        if (now - last).abs() < 0.1 || begin.elapsed() > Duration::from_secs(10) {
            return now;
        }
        last = now;
    }
}
