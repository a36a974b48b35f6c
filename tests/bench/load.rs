//! How long an open takes while another volume of 100,000 files is scanned for the first time and then again and again, and
//! permissions change 200 times a second. The bare directory is opened under the same load: what the scheduler does to it,
//! it does to everybody.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use mediagate::config::{VolumeConfig, VolumeKindConfig, WatchConfig};
use mediagate_tests::picture::picture;
use serde_json::Value;

use crate::Plan;
use crate::measured::Measured;
use crate::subject::{GALLERY, OWNER, Place, Running, Subject};
use crate::work::{Lasting, VERY_MANY, open_dir, own};

const AGAINST: &str = "open(2), p99 during a scan (times that of idle)";
const CHANGES: &str = "meanwhile: changes of permissions (a second)";
const FILES: &str = "meanwhile: files scanned (a second)";
const CHANGES_A_SECOND: u32 = 200;
const CALLERS: u32 = 4;
const SCANNED: &str = "scanned";

fn name(when: &str, part: &str) -> String {
    format!("open(2), {when}, {part} (µs)")
}

/// What is opened, and what is scanned: files without content, and a fifth of them pictures, which are read.
fn prepare(plan: &Plan, place: &Place) {
    let flat = place.dir().join("flat");
    open_dir(&flat);
    for number in 0..plan.files() {
        let path = flat.join(format!("{number}.txt"));
        std::fs::write(&path, [b'x'; 4096]).unwrap();
        own(&path);
    }
    for number in 0..VERY_MANY {
        let dir = place.root.join(SCANNED).join((number / 500).to_string());
        if number % 500 == 0 {
            std::fs::create_dir_all(&dir).unwrap();
        }
        if number % 5 == 0 {
            let bytes = picture((number / 5 % 256) as u8, number % 10 == 0, 2000);
            std::fs::write(dir.join(format!("{number}.jpg")), bytes).unwrap();
        } else {
            std::fs::File::create_new(dir.join(format!("{number}.txt"))).unwrap();
        }
    }
}

pub(crate) fn measure(plan: &Plan, round: usize, measured: &mut Measured) {
    let parts = ["median", "p99", "longest"];
    let names = ["idle", "during a scan"].map(|when| parts.map(|part| name(when, part)));
    if !names.as_flattened().iter().any(|it| plan.wants(it)) && !plan.wants(AGAINST) {
        return;
    }
    let place = Place::of(plan, "load");
    if round == 0 {
        prepare(plan, &place);
    }
    // The scan is a first one each time.
    let _ = std::fs::remove_dir_all(place.root.join("state"));
    let native = Subject::Native.start(plan, &place, false);
    let ours = Subject::Owner.start(plan, &place, false);
    let mut note = |running: &Running, when: &str, said: &Value| -> f64 {
        for (part, key) in parts.into_iter().zip(["p50", "p99", "max"]) {
            measured.note(&name(when, part), running.subject, said[key].as_f64().unwrap());
        }
        said["p99"].as_f64().unwrap()
    };
    let client = |running: &Running| {
        let seconds = if plan.quick { 1.0 } else { 3.0 };
        Lasting::new(running, "open latency", plan.files(), seconds, None).unwrap()
    };
    let run = |mut client: Lasting| {
        client.begin();
        client.end().unwrap()
    };
    let idle = [&native, &ours].map(|it| note(it, "idle", &run(client(it))));
    let clients = [client(&ours), client(&native)];
    let over = AtomicBool::new(false);
    let [changes, files, mine, bare] = std::thread::scope(|scope| {
        // Each call waits until it is written down, so it takes some that call at once to make so many.
        let changes: Vec<_> = (0..CALLERS).map(|_| scope.spawn(|| change(&ours, &over))).collect();
        let scans = scope.spawn(|| scan(plan, &ours, &place, &over));
        let [mine, bare] = clients;
        let mine = note(&ours, "during a scan", &run(mine));
        let bare = note(&native, "during a scan", &run(bare));
        over.store(true, SeqCst);
        let changes = changes.into_iter().map(|it| it.join().unwrap()).sum();
        [changes, scans.join().unwrap(), mine, bare]
    });
    measured.note(AGAINST, Subject::Owner, mine / idle[1]);
    measured.note(AGAINST, Subject::Native, bare / idle[0]);
    measured.note(CHANGES, Subject::Owner, changes);
    measured.note(FILES, Subject::Owner, files);
}

/// Grants and takes back; how many times in a second.
fn change(running: &Running, over: &AtomicBool) -> f64 {
    let service = running.service();
    let begin = Instant::now();
    let mut count = 0;
    while !over.load(SeqCst) {
        // Also of the app that opens.
        let (package, _) = [GALLERY, OWNER][count as usize / 2 % 2];
        service.set_permission(package, "READ_MEDIA_VIDEO", count % 2 == 0).unwrap();
        count += 1;
        let next = begin + Duration::from_secs(1) * CALLERS / CHANGES_A_SECOND * count;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    f64::from(count) / begin.elapsed().as_secs_f64()
}

/// Attaches the volume and has it scanned, again whenever that is over; how many files in a second.
fn scan(plan: &Plan, running: &Running, place: &Place, over: &AtomicBool) -> f64 {
    let service = running.service();
    let begin = Instant::now();
    let mount = plan.work.join("mnt-scanned");
    let volume = VolumeConfig {
        name: SCANNED.to_owned(),
        kind: VolumeKindConfig::Public,
        lower: place.root.join(SCANNED),
        mount: mount.clone(),
        users: Vec::new(),
        owner: None,
        passthrough: true,
        cache_seconds: None,
        watch: WatchConfig::Auto,
    };
    service.attach_volume(&volume).unwrap();
    let mut files = BTreeMap::new();
    while !over.load(SeqCst) {
        let scans = service.scans().unwrap();
        let ours = scans.iter().filter(|it| it.volume == SCANNED);
        files.extend(ours.map(|it| (it.ticket, it.files)));
        let running = |phase: &str| matches!(phase, "waiting" | "walking" | "reading");
        if !scans.iter().any(|it| it.volume == SCANNED && running(&it.phase)) {
            service.scan(Some(mount.as_os_str().as_encoded_bytes())).unwrap();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    files.values().sum::<u64>() as f64 / begin.elapsed().as_secs_f64()
}
