//! Reading and writing, by fio.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::Plan;
use crate::measured::Measured;
use crate::single::since;
use crate::subject::{Place, Running, Subject};
use crate::work::{ANYWHERE, as_app};

/// What is read and written, below the directory that all work is in.
const FILE: &str = "data/data.txt";

const JOBS: [(&str, &str); 12] = [
    ("read 1 MiB, sequential (MiB/s)", "--rw=read --bs=1M"),
    ("read 1 MiB, sequential, two jobs (MiB/s)", "--rw=read --bs=1M --numjobs=2"),
    ("read 4 KiB, random (MiB/s)", "--rw=randread --bs=4k"),
    ("read 4 KiB, random, two jobs (MiB/s)", "--rw=randread --bs=4k --numjobs=2"),
    ("read, mmap (MiB/s)", "--rw=read --bs=128k --ioengine=mmap"),
    ("read 1 MiB, O_DIRECT (MiB/s)", "--rw=read --bs=1M --direct=1"),
    ("write 1 MiB, sequential (MiB/s)", "--rw=write --bs=1M"),
    ("write 1 MiB, sequential, two jobs (MiB/s)", "--rw=write --bs=1M --numjobs=2"),
    ("write 4 KiB, random (MiB/s)", "--rw=randwrite --bs=4k"),
    ("write 4 KiB, random, two jobs (MiB/s)", "--rw=randwrite --bs=4k --numjobs=2"),
    ("write, mmap (MiB/s)", "--rw=write --bs=128k --ioengine=mmap"),
    ("write 1 MiB, O_DIRECT (MiB/s)", "--rw=write --bs=1M --direct=1"),
];

pub(crate) fn measure(plan: &Plan, place: &Place, subject: Subject, measured: &mut Measured) {
    if !JOBS.iter().any(|(name, _)| plan.wants(name)) {
        return;
    }
    let running = subject.start(plan, place, false);
    read_anew(&place.dir().join(FILE));
    for (name, options) in JOBS.iter().filter(|(name, _)| plan.wants(name)) {
        let cpu = running.cpu();
        match job(plan, &running, options) {
            Some((rate, mebibytes)) => {
                measured.note(name, subject, rate);
                measured.spent(name, subject, since(&running, cpu).map(|it| it * 1e6 / mebibytes));
            }
            // Not everybody serves O_DIRECT.
            None => measured.fail(name, subject),
        }
    }
}

/// Has the lower file in the kernel's memory as one who reads it from its beginning leaves it there. How large the pieces are in which it is
/// kept makes small writes up to four times as fast or slow, and each subject would find what another one left.
fn read_anew(lower: &Path) {
    let file = File::open(lower).unwrap();
    file.sync_all().unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    let length = std::io::copy(&mut BufReader::with_capacity(1 << 20, &file), &mut std::io::sink()).unwrap();
    assert_eq!(length, file.metadata().unwrap().len());
}

/// MiB in a second, and MiB in all.
fn job(plan: &Plan, running: &Running, options: &str) -> Option<(f64, f64)> {
    // fio reads a plain number as whole seconds.
    let runtime = if plan.quick { "200ms" } else { "700ms" };
    let file = running.dir.join(FILE);
    let script = format!(
        "fio --name=x --filename={} --size=64M --time_based --runtime={runtime} --invalidate=0 --fallocate=none \
         --group_reporting --output-format=json {options} 2>/dev/null",
        file.display()
    );
    let said = as_app(running, ANYWHERE, "sh", &["-c", &script])?;
    let from = said.iter().position(|it| *it == b'{')?;
    let said: serde_json::Value = serde_json::from_slice(&said[from..]).ok()?;
    let of = |what: &str| -> f64 {
        let ways = ["read", "write"].map(|way| said["jobs"][0][way][what].as_f64().unwrap_or(0.0));
        ways.iter().sum::<f64>() / f64::from(1 << 20)
    };
    (of("bw_bytes") > 0.0).then(|| (of("bw_bytes"), of("io_bytes")))
}
