//! What is aimed for. Nearly all are ratios: they hold on machines that are slower or faster.

use crate::measured::{Measured, median, spread};

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Of {
    /// Speed of the first subject by that of the second, for the same workload.
    Speed(&'static str, &'static str),
    /// The number itself, of this subject.
    Number(&'static str),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn holds(self, value: f64) -> bool {
        match self {
            Goal::AtLeast(goal) => value >= goal,
            Goal::AtMost(goal) => value <= goal,
        }
    }

    fn text(self) -> String {
        match self {
            Goal::AtLeast(goal) => format!("at least {goal}"),
            Goal::AtMost(goal) => format!("at most {goal}"),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Aim {
    workload: &'static str,
    of: Of,
    goal: Goal,
}

const OURS: &str = "mediagate";

const fn native(workload: &'static str, goal: f64) -> Aim {
    Aim { workload, of: Of::Speed(OURS, "native"), goal: Goal::AtLeast(goal) }
}

const fn peer(workload: &'static str, peer: &'static str, goal: f64) -> Aim {
    Aim { workload, of: Of::Speed(OURS, peer), goal: Goal::AtLeast(goal) }
}

const fn number(workload: &'static str, subject: &'static str, goal: Goal) -> Aim {
    Aim { workload, of: Of::Number(subject), goal }
}

pub(crate) const AIMS: [Aim; 39] = [
    native("open+read 4 KiB+close (µs)", 0.20),
    peer("open+read 4 KiB+close (µs)", "mergerfs", 1.5),
    peer("open+read 4 KiB+close (µs)", "passthrough_hp", 2.2),
    native("create+write 4 KiB+close (µs)", 0.30),
    peer("create+write 4 KiB+close (µs)", "mergerfs", 1.6),
    native("rename (µs)", 0.42),
    native("unlink (µs)", 0.42),
    native("stat, fresh mount (µs)", 0.17),
    native("stat, warm (µs)", 0.95),
    native("stat of a missing name, again (µs)", 0.95),
    native("readdir+stat of 10,000, fresh mount (µs an entry)", 0.38),
    native("readdir+stat of 10,000, again (µs an entry)", 1.1),
    native("ls -ln of 10,000, fresh mount (µs an entry)", 0.60),
    native("ls -ln of 10,000, again (µs an entry)", 1.1),
    native("readdir of 100,000, fresh mount (µs an entry)", 0.80),
    native("readdir of 100,000, again (µs an entry)", 1.8),
    native("ls -ln of 100,000, fresh mount (µs an entry)", 0.60),
    native("ls -ln of 100,000, again (µs an entry)", 1.1),
    Aim {
        workload: "ls -ln of 100,000, fresh mount (µs an entry)",
        of: Of::Speed("mediagate, sees a third", "mediagate, sees all"),
        goal: Goal::AtLeast(1.0),
    },
    native("rm -r of 5,787 files (ms)", 0.25),
    native("cp -r of 5,787 files (ms)", 0.50),
    native("tar c (ms)", 0.25),
    native("find, fresh mount (ms)", 0.24),
    native("read 1 MiB, sequential (MiB/s)", 0.95),
    native("read 1 MiB, sequential, two jobs (MiB/s)", 0.95),
    native("read 4 KiB, random (MiB/s)", 0.95),
    native("read 4 KiB, random, two jobs (MiB/s)", 0.95),
    native("read, mmap (MiB/s)", 0.95),
    native("read 1 MiB, O_DIRECT (MiB/s)", 0.95),
    native("write 1 MiB, sequential (MiB/s)", 0.95),
    native("write 1 MiB, sequential, two jobs (MiB/s)", 0.95),
    native("write 4 KiB, random (MiB/s)", 0.90),
    native("write 4 KiB, random, two jobs (MiB/s)", 0.90),
    native("write, mmap (MiB/s)", 0.95),
    native("write 1 MiB, O_DIRECT (MiB/s)", 0.95),
    number("two processes against one (times as many)", OURS, Goal::AtLeast(1.6)),
    number("open(2), p99 during a scan (times that of idle)", OURS, Goal::AtMost(3.0)),
    number("start to ready, catalog of 1,000,000 rows (ms)", OURS, Goal::AtMost(300.0)),
    number("memory per cached node (B)", "mediagate, sees all", Goal::AtMost(250.0)),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Reached,
    Missed,
    Uncertain,
}

impl Verdict {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Verdict::Reached => "reached",
            Verdict::Missed => "missed",
            Verdict::Uncertain => "too uncertain",
        }
    }
}

/// An aim as it was measured.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) what: String,
    pub(crate) value: f64,
    pub(crate) goal: String,
    pub(crate) verdict: Verdict,
}

/// Values that lie farther apart than this, in per cent, do not decide by their median alone.
const TRUSTED: f64 = 15.0;

/// Every aim of which something was measured.
pub(crate) fn judge(measured: &Measured) -> Vec<Judged> {
    AIMS.iter().filter_map(|aim| judge_one(measured, aim)).collect()
}

fn judge_one(measured: &Measured, aim: &Aim) -> Option<Judged> {
    let (what, value, rounds) = match aim.of {
        Of::Speed(subject, other) => {
            let what = match subject {
                OURS => format!("{}, of {other}", aim.workload),
                _ => format!("{}, {subject} of {other}", aim.workload),
            };
            let rounds = measured.ratios(aim.workload, subject, other)?;
            (what, measured.ratio(aim.workload, subject, other)?, rounds)
        }
        Of::Number(subject) => {
            let rounds = measured.of(aim.workload, subject)?.to_vec();
            (aim.workload.to_owned(), median(&rounds), rounds)
        }
    };
    // Bytes are counted, not timed: one value is enough. One time does not tell how far the next would be from it.
    let enough = rounds.len() > 1 || aim.workload.ends_with("(B)");
    let holds = |it: &f64| aim.goal.holds(*it);
    let verdict = match (enough, rounds.iter().any(holds), rounds.iter().all(holds)) {
        (false, ..) => Verdict::Uncertain,
        (true, _, true) => Verdict::Reached,
        (true, false, _) => Verdict::Missed,
        _ if spread(&rounds) > TRUSTED => Verdict::Uncertain,
        _ if holds(&value) => Verdict::Reached,
        _ => Verdict::Missed,
    };
    Some(Judged { what, value, goal: aim.goal.text(), verdict })
}
