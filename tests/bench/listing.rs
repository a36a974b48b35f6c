//! Listings of 100,000 entries, of a place that holds nothing else; client and daemon share one CPU.

use crate::Plan;
use crate::measured::Measured;
use crate::single::{list, since};
use crate::subject::{Place, Subject};
use crate::work::{PINNED, VERY_MANY, client, fill};

const READDIR: [&str; 2] =
    ["readdir of 100,000, fresh mount (µs an entry)", "readdir of 100,000, again (µs an entry)"];
const LS: [&str; 2] =
    ["ls -ln of 100,000, fresh mount (µs an entry)", "ls -ln of 100,000, again (µs an entry)"];

/// Makes the place, if that was not done.
pub(crate) fn prepare(place: &Place) {
    if !place.root.exists() {
        fill(&place.dir().join("list"), VERY_MANY);
    }
}

pub(crate) fn measure(plan: &Plan, place: &Place, subject: Subject, measured: &mut Measured) {
    if READDIR.iter().any(|it| plan.wants(it)) {
        prepare(place);
        let running = subject.start(plan, place, true);
        for name in READDIR {
            let cpu = running.cpu();
            let Some(said) = client(&running, PINNED, "readdir", "list", 0) else {
                measured.fail(name, subject);
                continue;
            };
            let entries = said["operations"].as_f64().unwrap();
            measured.note(name, subject, said["us"].as_f64().unwrap());
            measured.spent(name, subject, since(&running, cpu).map(|it| it * 1e6 / entries));
        }
    }
    if LS.iter().any(|it| plan.wants(it)) {
        prepare(place);
        let running = subject.start(plan, place, true);
        for name in LS {
            list(&running, name, "list", measured);
        }
    }
}
