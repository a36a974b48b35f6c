//! What is aimed for, as ratios: they hold on machines that are slower or faster.

/// Against whom.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Against {
    /// Speed of mediagate by that of this subject, for the same workload.
    Subject(&'static str),
    /// The number itself.
    Nothing,
}

/// At least `goal`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aim {
    pub(crate) workload: &'static str,
    pub(crate) against: Against,
    pub(crate) goal: f64,
}

const fn native(workload: &'static str, goal: f64) -> Aim {
    Aim { workload, against: Against::Subject("native"), goal }
}

const fn mergerfs(workload: &'static str, goal: f64) -> Aim {
    Aim { workload, against: Against::Subject("mergerfs"), goal }
}

pub(crate) const AIMS: [Aim; 26] = [
    native("open+read 4 KiB+close (µs)", 0.20),
    mergerfs("open+read 4 KiB+close (µs)", 1.5),
    Aim { workload: "open+read 4 KiB+close (µs)", against: Against::Subject("passthrough_hp"), goal: 2.2 },
    native("create+write 4 KiB+close (µs)", 0.30),
    mergerfs("create+write 4 KiB+close (µs)", 1.6),
    native("rename (µs)", 0.42),
    native("unlink (µs)", 0.42),
    native("stat, fresh mount (µs)", 0.17),
    native("stat, warm (µs)", 0.95),
    native("stat of a missing name, again (µs)", 0.95),
    native("ls -ln, fresh mount (µs an entry)", 0.60),
    native("ls -ln, again (µs an entry)", 1.1),
    native("readdir+stat, fresh mount (µs an entry)", 0.38),
    native("readdir+stat, again (µs an entry)", 1.1),
    native("rm -r of 5,787 files (ms)", 0.25),
    native("cp -r of 5,787 files (ms)", 0.50),
    native("tar c (ms)", 0.25),
    native("find, fresh mount (ms)", 0.24),
    native("read 1 MiB, sequential (MiB/s)", 0.95),
    native("read 4 KiB, random (MiB/s)", 0.95),
    native("read, mmap (MiB/s)", 0.95),
    native("write 1 MiB, sequential (MiB/s)", 0.95),
    native("write 4 KiB, random (MiB/s)", 0.90),
    native("write, mmap (MiB/s)", 0.95),
    native("read 1 MiB, O_DIRECT (MiB/s)", 0.95),
    Aim { workload: "two processes against one (times as many opens)", against: Against::Nothing, goal: 1.6 },
];
