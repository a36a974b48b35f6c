//! What a run found, and in which order it is told.

use std::collections::{BTreeMap, BTreeSet};

use crate::subject::Subject;

/// Workloads that belong together, in the order of the report. The unit is in the name.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) workloads: &'static [&'static str],
}

pub(crate) const GROUPS: [Group; 8] = [
    Group {
        name: "Single operations, client and daemon on one CPU",
        workloads: &[
            "stat, fresh mount (µs)",
            "stat, warm (µs)",
            "stat of a missing name (µs)",
            "stat of a missing name, again (µs)",
            "open+read 4 KiB+close, first (µs)",
            "open+read 4 KiB+close (µs)",
            "open+read 4 KiB+close of a picture (µs)",
            "open(2), median (µs)",
            "open(2), p99 (µs)",
            "open(2), longest (µs)",
            "open and hold (µs)",
            "create+write 4 KiB+close (µs)",
            "rename (µs)",
            "unlink (µs)",
        ],
    },
    Group {
        name: "Single operations, wherever the scheduler puts client and daemon",
        workloads: &[
            "stat of a missing name, anywhere (µs)",
            "open+read 4 KiB+close, anywhere (µs)",
            "create+write 4 KiB+close, anywhere (µs)",
            "rename, anywhere (µs)",
            "unlink, anywhere (µs)",
        ],
    },
    Group {
        name: "Listings, client and daemon on one CPU",
        workloads: &[
            "readdir of 10,000, fresh mount (µs an entry)",
            "readdir of 10,000, again (µs an entry)",
            "readdir+stat of 10,000, fresh mount (µs an entry)",
            "readdir+stat of 10,000, again (µs an entry)",
            "ls -ln of 10,000, fresh mount (µs an entry)",
            "ls -ln of 10,000, again (µs an entry)",
            "readdir of 100,000, fresh mount (µs an entry)",
            "readdir of 100,000, again (µs an entry)",
            "ls -ln of 100,000, fresh mount (µs an entry)",
            "ls -ln of 100,000, again (µs an entry)",
        ],
    },
    Group {
        name: "Trees",
        workloads: &[
            "find, fresh mount (ms)",
            "grep -r (ms)",
            "tar c (ms)",
            "cp -r of 5,787 files (ms)",
            "rm -r of 5,787 files (ms)",
        ],
    },
    Group {
        name: "Data",
        workloads: &[
            "read 1 MiB, sequential (MiB/s)",
            "read 1 MiB, sequential, two jobs (MiB/s)",
            "read 4 KiB, random (MiB/s)",
            "read 4 KiB, random, two jobs (MiB/s)",
            "read, mmap (MiB/s)",
            "read 1 MiB, O_DIRECT (MiB/s)",
            "write 1 MiB, sequential (MiB/s)",
            "write 1 MiB, sequential, two jobs (MiB/s)",
            "write 4 KiB, random (MiB/s)",
            "write 4 KiB, random, two jobs (MiB/s)",
            "write, mmap (MiB/s)",
            "write 1 MiB, O_DIRECT (MiB/s)",
        ],
    },
    Group {
        name: "Two processes",
        workloads: &[
            "one process, open+read 4 KiB+close (a second)",
            "two processes, open+read 4 KiB+close (a second)",
            "two processes against one (times as many)",
        ],
    },
    Group {
        name: "Under load",
        workloads: &[
            "open(2), idle, median (µs)",
            "open(2), idle, p99 (µs)",
            "open(2), idle, longest (µs)",
            "open(2), during a scan, median (µs)",
            "open(2), during a scan, p99 (µs)",
            "open(2), during a scan, longest (µs)",
            "open(2), p99 during a scan (times that of idle)",
            "meanwhile: changes of permissions (a second)",
            "meanwhile: files scanned (a second)",
        ],
    },
    Group {
        name: "Size",
        workloads: &[
            "start to ready, catalog of 1,000,000 rows (ms)",
            "cached nodes after find (thousands)",
            "memory per cached node (B)",
            "memory of the daemon, all of these cached (MiB)",
            "memory of the daemon after single operations (MiB)",
        ],
    },
];

/// By workload and subject, a value for each round.
pub(crate) type Values = BTreeMap<(&'static str, &'static str), Vec<f64>>;

#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) values: Values,
    /// The median of an operation, in microseconds: what who asks for it waits, most of the time.
    pub(crate) middles: Values,
    /// The 99th percentile of an operation, in microseconds.
    pub(crate) tails: Values,
    /// CPU time of the daemon: microseconds for one operation, entry or MiB; milliseconds for a tree.
    pub(crate) cpu: Values,
    /// Requests for one operation, of ours: by workload, then by kind.
    pub(crate) requests: BTreeMap<&'static str, BTreeMap<String, f64>>,
    /// Subjects that this machine does not have.
    pub(crate) missing: Vec<&'static str>,
    /// What a peer could not do.
    pub(crate) failed: BTreeSet<(&'static str, &'static str)>,
}

/// A workload's name as the groups have it.
fn known(workload: &str) -> &'static str {
    let mut all = GROUPS.iter().flat_map(|group| group.workloads);
    all.find(|it| **it == workload).unwrap_or_else(|| panic!("no group has the workload {workload:?}"))
}

impl Measured {
    pub(crate) fn note(&mut self, workload: &str, subject: Subject, value: f64) {
        self.values.entry((known(workload), subject.name())).or_default().push(value);
    }

    /// What a client says of single operations besides their mean.
    pub(crate) fn quantiles(&mut self, workload: &str, subject: Subject, said: &serde_json::Value) {
        for (values, part) in [(&mut self.middles, "p50"), (&mut self.tails, "p99")] {
            if let Some(micros) = said[part].as_f64() {
                values.entry((known(workload), subject.name())).or_default().push(micros);
            }
        }
    }

    /// Nothing for subjects without a daemon.
    pub(crate) fn spent(&mut self, workload: &str, subject: Subject, cpu: Option<f64>) {
        if let Some(cpu) = cpu {
            self.cpu.entry((known(workload), subject.name())).or_default().push(cpu);
        }
    }

    pub(crate) fn fail(&mut self, workload: &str, subject: Subject) {
        assert!(!subject.is_ours(), "{}: {workload} failed; what it said is above", subject.name());
        self.failed.insert((subject.name(), known(workload)));
    }

    pub(crate) fn count(&mut self, workload: &str, requests: BTreeMap<String, f64>) {
        self.requests.insert(known(workload), requests);
    }

    pub(crate) fn of(&self, workload: &str, subject: &str) -> Option<&[f64]> {
        Some(self.values.get(&(known(workload), known_subject(subject)?))?)
    }

    /// Speed by another's speed.
    pub(crate) fn ratio(&self, workload: &str, subject: &str, other: &str) -> Option<f64> {
        let (own, other) = (median(self.of(workload, subject)?), median(self.of(workload, other)?));
        Some(if is_rate(workload) { own / other } else { other / own })
    }

    /// Each round's speed by the other's speed of the same round, from the least to the most.
    pub(crate) fn ratios(&self, workload: &str, subject: &str, other: &str) -> Option<Vec<f64>> {
        let pairs = self.of(workload, subject)?.iter().zip(self.of(workload, other)?);
        let mut all: Vec<f64> =
            pairs.map(|(own, other)| if is_rate(workload) { own / other } else { other / own }).collect();
        all.sort_by(f64::total_cmp);
        Some(all)
    }
}

fn known_subject(name: &str) -> Option<&'static str> {
    Subject::ALL.into_iter().map(Subject::name).find(|it| *it == name)
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// Half of the distance of the farthest values, in per cent of the median.
pub(crate) fn spread(values: &[f64]) -> f64 {
    let (least, most) = values.iter().fold((f64::MAX, f64::MIN), |(a, b), it| (a.min(*it), b.max(*it)));
    50.0 * (most - least) / median(values)
}

/// More of it is better.
pub(crate) fn is_rate(workload: &str) -> bool {
    ["MiB/s", "times as many", "a second"].iter().any(|unit| workload.contains(unit))
}

/// Whether its ratio to another subject's says anything.
pub(crate) fn is_compared(workload: &str) -> bool {
    !["(B)", "(MiB)", "(thousands)", "meanwhile", "(times "].iter().any(|part| workload.contains(part))
}
