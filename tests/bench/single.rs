//! Operation by operation, and listings of 10,000 entries; client and daemon share one CPU.

use std::time::Instant;

use crate::Plan;
use crate::measured::Measured;
use crate::subject::{Place, Running, Subject};
use crate::work::{PINNED, as_app, client};

/// A workload, what the client is told, and where.
type Step = (&'static str, &'static str, &'static str);

fn steps(subject: Subject) -> Vec<Step> {
    // Who sees a third works with what is in that third.
    let owns = subject != Subject::Partial;
    let of = |plain, picture| if owns { plain } else { picture };
    let (stat, warm, open) =
        (of("stat plain", "stat"), of("stat plain warm", "stat warm"), of("open plain", "open"));
    let mut steps: Vec<Step> = vec![
        ("stat, fresh mount (µs)", stat, ""),
        ("stat, warm (µs)", warm, ""),
        ("stat of a missing name (µs)", "missing", ""),
        ("stat of a missing name, again (µs)", "missing warm", ""),
        ("open+read 4 KiB+close, first (µs)", open, ""),
        ("", open, ""),
        ("open+read 4 KiB+close (µs)", open, ""),
        ("open(2)", of("open(2) plain", "open(2)"), ""),
        ("readdir of 10,000, fresh mount (µs an entry)", "readdir", "list-a"),
        ("readdir of 10,000, again (µs an entry)", "readdir", "list-a"),
        ("readdir+stat of 10,000, fresh mount (µs an entry)", "readdir+stat", "list-b"),
        ("readdir+stat of 10,000, again (µs an entry)", "readdir+stat", "list-b"),
        ("ls -ln of 10,000, fresh mount (µs an entry)", "", "list-c"),
        ("ls -ln of 10,000, again (µs an entry)", "", "list-c"),
    ];
    if owns {
        steps.extend([
            // What a picture tells is looked for once, and then known.
            ("", "open", ""),
            ("open+read 4 KiB+close of a picture (µs)", "open", ""),
            ("create+write 4 KiB+close (µs)", "create", ""),
            ("rename (µs)", "rename", ""),
            ("unlink (µs)", "unlink", ""),
            ("open and hold (µs)", "hold", ""),
        ]);
    }
    steps
}

pub(crate) fn measure(plan: &Plan, place: &Place, subject: Subject, measured: &mut Measured) {
    let steps = steps(subject);
    if !steps.iter().any(|(name, ..)| !name.is_empty() && plan.wants(name)) {
        return;
    }
    let running = subject.start(plan, place, true);
    for (name, workload, dir) in steps {
        match (name, workload) {
            ("open(2)", _) => latency(plan, &running, workload, measured),
            ("", _) => _ = client(&running, PINNED, workload, dir, plan.files()),
            (_, "") => list(&running, name, dir, measured),
            _ => step(plan, &running, (name, workload, dir), measured),
        }
    }
    if let Some(resident) = running.resident() {
        measured.note("memory of the daemon after single operations (MiB)", subject, resident);
    }
}

/// What the daemon's CPU time was from one look to the next. A thread that has ended takes its time along.
pub(crate) fn since(running: &Running, before: Option<f64>) -> Option<f64> {
    Some((running.cpu()? - before?).max(0.0))
}

fn step(plan: &Plan, running: &Running, (name, workload, dir): Step, measured: &mut Measured) {
    let (subject, count) = (running.subject, plan.files());
    let (requests, cpu) = (running.requests(), running.cpu());
    let Some(said) = client(running, PINNED, workload, dir, count) else {
        return measured.fail(name, subject);
    };
    let operations = said["operations"].as_f64().unwrap();
    measured.spent(name, subject, since(running, cpu).map(|it| it * 1e6 / operations));
    measured.note(name, subject, said["us"].as_f64().unwrap());
    measured.quantiles(name, subject, &said);
    if subject == Subject::Owner && dir.is_empty() {
        let each = running.requests().into_iter().map(|(kind, after)| {
            let spent = after - requests.get(&kind).unwrap_or(&0.0);
            (kind, (spent / operations * 100.0).round() / 100.0)
        });
        measured.count(name, each.filter(|(_, it)| *it > 0.0).collect());
    }
}

/// Of open(2) alone.
fn latency(plan: &Plan, running: &Running, workload: &str, measured: &mut Measured) {
    let said = client(running, PINNED, workload, "", plan.files());
    for (name, part) in
        [("open(2), median (µs)", "p50"), ("open(2), p99 (µs)", "p99"), ("open(2), longest (µs)", "max")]
    {
        match &said {
            Some(said) => measured.note(name, running.subject, said[part].as_f64().unwrap()),
            None => measured.fail(name, running.subject),
        }
    }
}

/// `ls -ln`, by what it said.
pub(crate) fn list(running: &Running, name: &str, dir: &str, measured: &mut Measured) {
    let cpu = running.cpu();
    let begin = Instant::now();
    let said = as_app(running, PINNED, "ls", &["-ln", running.dir.join(dir).to_str().unwrap()]);
    let took = begin.elapsed().as_secs_f64();
    let Some(said) = said else { return measured.fail(name, running.subject) };
    // The first line is the sum.
    let entries = said.iter().filter(|it| **it == b'\n').count() - 1;
    measured.note(name, running.subject, took * 1e6 / entries as f64);
    measured.spent(name, running.subject, since(running, cpu).map(|it| it * 1e6 / entries as f64));
}
