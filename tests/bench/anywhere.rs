//! Single operations where nothing is pinned: client and daemon are wherever the scheduler puts them, as in use, and a
//! processor that waits for the other one may have to be woken for each request.

use crate::Plan;
use crate::measured::Measured;
use crate::single::since;
use crate::subject::{Place, Subject};
use crate::work::{ANYWHERE, client, open_dir};

/// A workload and what the client is told. A file is made, renamed and removed in this order.
const STEPS: [(&str, &str); 5] = [
    ("stat of a missing name, anywhere (µs)", "missing"),
    ("open+read 4 KiB+close, anywhere (µs)", "open plain"),
    ("create+write 4 KiB+close, anywhere (µs)", "create"),
    ("rename, anywhere (µs)", "rename"),
    ("unlink, anywhere (µs)", "unlink"),
];

/// Files: fewer than where everything is pinned, because a round takes longer and differs more from another one.
const FILES: usize = 2000;

pub(crate) fn measure(plan: &Plan, place: &Place, subject: Subject, measured: &mut Measured) {
    if !STEPS.iter().any(|(name, _)| plan.wants(name)) {
        return;
    }
    let running = subject.start(plan, place, false);
    // The first open of a file is another workload.
    for _ in 0..2 {
        client(&running, ANYWHERE, "open plain", "", FILES);
    }
    for (name, workload) in STEPS {
        let cpu = running.cpu();
        let Some(said) = client(&running, ANYWHERE, workload, "", FILES) else {
            measured.fail(name, subject);
            // The next one begins with nothing there, too.
            let new = place.dir().join("new");
            let _ = std::fs::remove_dir_all(&new);
            open_dir(&new);
            continue;
        };
        let operations = said["operations"].as_f64().unwrap();
        measured.spent(name, subject, since(&running, cpu).map(|it| it * 1e6 / operations));
        measured.note(name, subject, said["us"].as_f64().unwrap());
        measured.quantiles(name, subject, &said);
    }
}
