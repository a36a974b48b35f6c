//! The last warnings and errors of the log, for `dump`: who looks at a running service need not find its log first.
//!
//! Lock: the ring's, a leaf.

use std::collections::VecDeque;
use std::time::SystemTime;

use log::{Level, LevelFilter, Log, Metadata, Record};
use parking_lot::Mutex;

/// How many are kept.
const KEPT: usize = 20;
/// Bytes of a message that are kept.
const LENGTH: usize = 400;

/// One of them.
#[derive(Clone, Debug)]
pub struct Complaint {
    /// When.
    pub at: SystemTime,
    /// Warning or error.
    pub level: Level,
    /// What was said.
    pub message: String,
}

// There is one log in a process, and so one ring.
static RING: Mutex<VecDeque<Complaint>> = Mutex::new(VecDeque::new());

/// The complaints that are kept, oldest first.
pub fn complaints() -> Vec<Complaint> {
    RING.lock().iter().cloned().collect()
}

/// A log that remembers our own complaints and passes everything on.
#[derive(Debug)]
struct Remembering<L>(L);

/// Makes `log` the process's log, up to `level`, and remembers complaints beside it. False: there is one already.
pub fn install(log: impl Log + 'static, level: LevelFilter) -> bool {
    let installed = log::set_boxed_logger(Box::new(Remembering(log))).is_ok();
    log::set_max_level(level.max(LevelFilter::Warn));
    installed
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.level() <= Level::Warn && metadata.target().starts_with("mediagate")
}

impl<L: Log> Log for Remembering<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_ours(metadata) || self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if is_ours(record.metadata()) {
            let mut message = record.args().to_string();
            if let Some((end, _)) = message.char_indices().find(|(at, _)| *at >= LENGTH) {
                message.truncate(end);
                message.push('…');
            }
            let mut ring = RING.lock();
            if ring.len() >= KEPT {
                ring.pop_front();
            }
            ring.push_back(Complaint { at: SystemTime::now(), level: record.level(), message });
        }
        self.0.log(record);
    }

    fn flush(&self) {
        self.0.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Log for Nothing {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            false
        }
        fn log(&self, _: &Record<'_>) {}
        fn flush(&self) {}
    }

    #[test]
    fn the_last_complaints_are_kept_and_cut() {
        let log = Remembering(Nothing);
        let say = |target: &str, level, text: &str| {
            log.log(&Record::builder().target(target).level(level).args(format_args!("{text}")).build());
        };
        for n in 0..KEPT + 5 {
            say("mediagate::x", Level::Warn, &format!("complaint {n}"));
        }
        say("mediagate::x", Level::Info, "no complaint");
        say("rsbinder", Level::Error, "another's");
        say("mediagate", Level::Error, &"ä".repeat(LENGTH));
        let kept = complaints();
        assert_eq!(kept.len(), KEPT);
        assert_eq!(kept[0].message, "complaint 6");
        let last = kept.last().unwrap();
        assert!(last.message.ends_with('…') && last.message.len() < LENGTH + 8, "{}", last.message.len());
    }
}
