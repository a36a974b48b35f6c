//! Two processes that open files at once, against one. Each has files of its own, and all of them are opened once before it
//! counts; the clock of both runs while both run.

use crate::Plan;
use crate::measured::Measured;
use crate::single::since;
use crate::subject::{Place, Subject};
use crate::work::Lasting;

const ONE: &str = "one process, open+read 4 KiB+close (a second)";
const TWO: &str = "two processes, open+read 4 KiB+close (a second)";
const AGAINST: &str = "two processes against one (times as many)";

pub(crate) fn measure(plan: &Plan, place: &Place, subject: Subject, measured: &mut Measured) {
    if ![ONE, TWO, AGAINST].iter().any(|it| plan.wants(it)) {
        return;
    }
    let running = subject.start(plan, place, false);
    let seconds = if plan.quick { 0.5 } else { 1.5 };
    let mut rates = |name, parts: &[usize]| -> Option<f64> {
        let new = |part: &usize| Lasting::new(&running, "open", plan.files(), seconds, Some(*part));
        let mut clients: Vec<Lasting> = parts.iter().map(new).collect::<Option<_>>()?;
        let cpu = running.cpu();
        clients.iter_mut().for_each(Lasting::begin);
        let said: Vec<_> = clients.into_iter().map(Lasting::end).collect::<Option<_>>()?;
        let operations: f64 = said.iter().map(|it| it["operations"].as_f64().unwrap()).sum();
        // What each did in its own time: they begin within a fraction of a millisecond.
        let rate = said.iter().map(|it| 1e6 / it["us"].as_f64().unwrap()).sum();
        measured.spent(name, subject, since(&running, cpu).map(|it| it * 1e6 / operations));
        measured.note(name, subject, rate);
        Some(rate)
    };
    match (rates(ONE, &[0]), rates(TWO, &[0, 1])) {
        (Some(one), Some(two)) => measured.note(AGAINST, subject, two / one),
        _ => measured.fail(AGAINST, subject),
    }
}
