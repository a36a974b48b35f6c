//! Every number that `stats` shows, by name.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

use super::inflight::InFlight;
use crate::control::Stat;

macro_rules! numbers {
    ($(#[$doc:meta])* $type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the dotted name says it")]
        #[allow(clippy::doc_markdown)]
        pub enum $type { $($variant),+ }

        impl $type {
            /// Every one of them.
            pub const ALL: &'static [$type] = &[$($type::$variant),+];

            /// The stable name that `stats` prints.
            pub const fn name(self) -> &'static str {
                match self { $($type::$variant => $name),+ }
            }
        }
    };
}

numbers! {
    /// Numbers that only grow.
    Counter {
        Lookup = "fuse.requests.lookup",
        Forget = "fuse.requests.forget",
        GetAttr = "fuse.requests.getattr",
        SetAttr = "fuse.requests.setattr",
        ReadLink = "fuse.requests.readlink",
        Mknod = "fuse.requests.mknod",
        Mkdir = "fuse.requests.mkdir",
        Unlink = "fuse.requests.unlink",
        Rmdir = "fuse.requests.rmdir",
        Symlink = "fuse.requests.symlink",
        Rename = "fuse.requests.rename",
        Link = "fuse.requests.link",
        Open = "fuse.requests.open",
        Read = "fuse.requests.read",
        Write = "fuse.requests.write",
        Flush = "fuse.requests.flush",
        Release = "fuse.requests.release",
        Fsync = "fuse.requests.fsync",
        OpenDir = "fuse.requests.opendir",
        ReadDir = "fuse.requests.readdir",
        ReadDirPlus = "fuse.requests.readdirplus",
        ReleaseDir = "fuse.requests.releasedir",
        FsyncDir = "fuse.requests.fsyncdir",
        StatFs = "fuse.requests.statfs",
        Xattr = "fuse.requests.xattr",
        Access = "fuse.requests.access",
        Create = "fuse.requests.create",
        Ioctl = "fuse.requests.ioctl",
        Poll = "fuse.requests.poll",
        Fallocate = "fuse.requests.fallocate",
        Lseek = "fuse.requests.lseek",
        CopyFileRange = "fuse.requests.copy_file_range",
        BytesRead = "fuse.bytes.read",
        BytesWritten = "fuse.bytes.written",
        Panics = "fuse.panics",
        PollsMet = "fuse.busy_polls.met",
        PollsInVain = "fuse.busy_polls.in_vain",

        OpenPassthrough = "open.passthrough",
        OpenDaemon = "open.daemon",
        DaemonOff = "open.daemon.passthrough_off",
        DaemonRedacted = "open.daemon.redacted_view",
        DaemonMode = "open.daemon.inode_in_daemon_mode",
        DaemonBudgetUid = "open.daemon.uid_budget",
        DaemonBudgetTotal = "open.daemon.total_budget",
        DaemonNotPermitted = "open.daemon.register_not_permitted",
        DaemonStacking = "open.daemon.register_stacking",
        DaemonNoResources = "open.daemon.register_no_resources",
        DaemonRegisterFailed = "open.daemon.register_failed",
        BackingRegistered = "backing.registered",
        BackingReused = "backing.reused",
        StaleOpens = "open.stale",
        Exposed = "redaction.writers_beside_readers",
        Looks = "redaction.looks",
        FindingsKnown = "redaction.findings_known",
        Refused = "redaction.opens_refused",
        CacheKept = "redaction.opens_from_cache",
        Unsettled = "redaction.reads_while_written",
        Blanked = "redaction.reads_blanked",

        Decisions = "policy.decisions",
        Denials = "policy.denials",

        CatalogWrites = "catalog.writes",
        CatalogCommits = "catalog.commits",
        CatalogDropped = "catalog.writes_dropped",
        CatalogReads = "catalog.reads",
        CatalogErrors = "catalog.errors",
        OwnerReads = "lower.owner_reads",
        IndexedFirstSeen = "index.first_seen",
        FactsRead = "scan.facts_read",
        FactsFailed = "scan.facts_incomplete",
        FactsPanics = "scan.facts_panics",
        NotifySent = "notify.sent",
        NotifyFailed = "notify.failed",
        PrivateBound = "private.bound",
        SlowRequests = "watchdog.slow_requests",
        Disowned = "upkeep.disowned",
        Expired = "upkeep.expired",
        Extended = "upkeep.extended",
        MaintenanceRuns = "upkeep.runs",
        WatchEvents = "watch.events",
        WatchOwn = "watch.own_events",
        WatchHushed = "watch.hushed",
        WatchOverflows = "watch.overflows",
        WatchRescans = "watch.rescans",
    }
}

numbers! {
    /// Levels: what there is right now.
    Gauge {
        Nodes = "nodes",
        Lookups = "nodes.lookups",
        FileHandles = "handles.files",
        DirHandles = "handles.directories",
        BackingFiles = "backing.files",
        BackingParked = "backing.parked",
        Handles = "handles.all",
        ListedEntries = "handles.listed_entries",
        OpenFds = "process.open_fds",
        PassthroughUpstream = "passthrough.upstream",
        PassthroughLegacy = "passthrough.legacy",
        CatalogQueue = "catalog.queue",
        Departing = "upkeep.departing",
        CatalogReaders = "catalog.readers",
        OpenDirs = "lower.directories",
        Volumes = "volumes",
        Watched = "watch.volumes",
        WatchPending = "watch.pending",
    }
}

/// The numbers and the requests in flight of one service.
#[derive(Debug)]
pub struct Observer {
    counters: Vec<AtomicU64>,
    gauges: Vec<AtomicI64>,
    denials: Mutex<BTreeMap<&'static str, u64>>,
    /// Requests in flight.
    pub inflight: InFlight,
}

impl Default for Observer {
    fn default() -> Self {
        Observer {
            counters: Counter::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
            gauges: Gauge::ALL.iter().map(|_| AtomicI64::new(0)).collect(),
            denials: Mutex::new(BTreeMap::new()),
            inflight: InFlight::default(),
        }
    }
}

impl Observer {
    /// Adds one.
    pub fn count(&self, counter: Counter) {
        self.count_by(counter, 1);
    }

    /// Adds `by`.
    pub fn count_by(&self, counter: Counter, by: u64) {
        self.counters[counter as usize].fetch_add(by, Relaxed);
    }

    /// The value of a counter.
    pub fn counter(&self, counter: Counter) -> u64 {
        self.counters[counter as usize].load(Relaxed)
    }

    /// Moves a gauge by `by`.
    pub fn shift(&self, gauge: Gauge, by: i64) {
        self.gauges[gauge as usize].fetch_add(by, Relaxed);
    }

    /// Sets a gauge.
    pub fn set(&self, gauge: Gauge, to: i64) {
        self.gauges[gauge as usize].store(to, Relaxed);
    }

    /// The value of a gauge.
    pub fn gauge(&self, gauge: Gauge) -> i64 {
        self.gauges[gauge as usize].load(Relaxed)
    }

    /// Counts a refusal under the rule that decided it (`rule` is the reason's stable identifier).
    pub fn count_denial(&self, rule: &'static str) {
        self.count(Counter::Denials);
        *self.denials.lock().entry(rule).or_insert(0) += 1;
    }

    /// All numbers, sorted by name. `process.open_fds` is read here.
    pub fn stats(&self) -> Vec<Stat> {
        if let Ok(fds) = std::fs::read_dir("/proc/self/fd") {
            // The directory that is being read is one of them.
            self.set(Gauge::OpenFds, i64::try_from(fds.count()).unwrap_or(i64::MAX).saturating_sub(1));
        }
        let counters = Counter::ALL.iter().map(|it| (it.name().to_owned(), self.counter(*it)));
        let denials: Vec<_> =
            self.denials.lock().iter().map(|(rule, n)| (format!("policy.denials.{rule}"), *n)).collect();
        let mut stats: Vec<Stat> = counters
            .chain(denials)
            .map(|(name, value)| Stat { name, value: i64::try_from(value).unwrap_or(i64::MAX), gauge: false })
            .chain(Gauge::ALL.iter().map(|it| Stat {
                name: it.name().to_owned(),
                value: self.gauge(*it),
                gauge: true,
            }))
            .collect();
        stats.sort_by(|a, b| a.name.cmp(&b.name));
        stats
    }
}
