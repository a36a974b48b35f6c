//! `dump`: the state of the service as text for people.

use std::fmt::Write as _;
use std::sync::atomic::Ordering::Relaxed;
use std::time::SystemTime;

use super::Shared;
use crate::control::Control;
use crate::observe::{Counter, Gauge, complaints};
use crate::passthrough::Budget;

/// Lines of a table by uid.
const UIDS: usize = 20;

impl Shared {
    pub(super) fn dump_to(&self, out: &mut String) -> std::fmt::Result {
        self.dump_volumes(out)?;
        self.dump_use(out)?;
        self.dump_caches(out)?;
        self.dump_requests(out)?;
        writeln!(out, "LAST WARNINGS AND ERRORS")?;
        for it in complaints() {
            let ago = SystemTime::now().duration_since(it.at).unwrap_or_default().as_secs();
            writeln!(out, "  {ago} s ago: {}: {}", it.level, it.message)?;
        }
        writeln!(out, "PACKAGES (epoch {})", self.identity.epoch())?;
        for it in self.packages() {
            writeln!(out, "  {} uids={:?} source={}", it.package.name, it.uids, it.source)?;
        }
        writeln!(out, "NUMBERS")?;
        for stat in self.stats().iter().filter(|stat| stat.value != 0) {
            writeln!(out, "  {} {}", stat.name, stat.value)?;
        }
        Ok(())
    }

    fn dump_volumes(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "VOLUMES")?;
        for (it, attached) in self.volumes().iter().zip(self.volumes.all()) {
            writeln!(
                out,
                "  {} ({}) {} -> {} users={:?} passthrough={:?} watch={:?} xattrs={} indexed={}",
                it.name,
                it.kind,
                it.lower,
                it.mount,
                it.users,
                it.passthrough,
                it.watch,
                it.xattrs,
                it.indexed
            )?;
            let session = attached.session.as_deref().unwrap_or("none, mounted by the service");
            writeln!(
                out,
                "    session: {session}; emptied={}",
                attached.scanner.as_ref().is_some_and(crate::scanner::Scanner::is_emptied)
            )?;
        }
        Ok(())
    }

    fn dump_use(&self, out: &mut String) -> std::fmt::Result {
        let gauge = |it| self.observer.gauge(it);
        self.volumes.all().iter().for_each(|it| it.volume.nodes.sweep());
        writeln!(
            out,
            "NODES\n  {} nodes, {} lookups by the kernel",
            gauge(Gauge::Nodes),
            gauge(Gauge::Lookups)
        )?;
        writeln!(
            out,
            "HANDLES\n  {} files, {} directories with {} entries listed",
            gauge(Gauge::FileHandles),
            gauge(Gauge::DirHandles),
            gauge(Gauge::ListedEntries)
        )?;
        by_uid(out, "HANDLES BY UID", &self.handles)?;
        by_uid(out, "BACKING FILES BY UID", &self.budget)?;
        writeln!(out, "QUEUES")?;
        writeln!(out, "  writes to the catalog: {}", gauge(Gauge::CatalogQueue))?;
        writeln!(out, "  changes behind mounts: {}", gauge(Gauge::WatchPending))?;
        for it in self.volumes.all() {
            let waiting = it.volume.notices.waiting();
            writeln!(out, "  notices to the kernel, {}: {waiting}", it.config.name)?;
        }
        Ok(())
    }

    fn dump_caches(&self, out: &mut String) -> std::fmt::Result {
        let count = |it| self.observer.counter(it);
        let (reused, registered) = (count(Counter::BackingReused), count(Counter::BackingRegistered));
        let (decisions, owners) = (count(Counter::Decisions), count(Counter::OwnerReads));
        let (found, looks) = (count(Counter::FindingsKnown), count(Counter::Looks));
        let (kept, redacted) = (count(Counter::CacheKept), count(Counter::DaemonRedacted));
        writeln!(out, "CACHES")?;
        for (name, hits, all) in [
            ("backing files, by open", reused, reused + registered),
            ("owners, by decision", decisions.saturating_sub(owners), decisions),
            ("findings in files, by look", found, found + looks),
            ("pages of redacted views, by open", kept, redacted),
        ] {
            writeln!(out, "  {name}: {hits} of {all} hits{}", rate(hits, all))?;
        }
        writeln!(out, "  backing files kept for a while: {}", self.observer.gauge(Gauge::BackingParked))?;
        writeln!(out, "  directories kept open: {}", self.observer.gauge(Gauge::OpenDirs))?;
        for it in self.volumes.all() {
            let trusted = if it.volume.is_watched() {
                "what the kernel knows holds until it is told"
            } else {
                "the kernel asks again"
            };
            writeln!(out, "  names and attributes, {}: {trusted}", it.config.name)?;
        }
        writeln!(out, "  index up to date: {}", self.volumes.all().iter().all(|it| it.indexed.load(Relaxed)))
    }

    fn dump_requests(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "REQUESTS IN FLIGHT (oldest first)")?;
        for it in self.observer.inflight.snapshot() {
            let age = it.since.elapsed().as_millis();
            writeln!(out, "  {} node={} uid={} pid={} age_ms={age}", it.operation, it.node, it.uid, it.pid)?;
        }
        writeln!(out, "SLOWEST REQUESTS")?;
        for it in self.observer.inflight.slowest.list() {
            let (took, ago) = (it.took.as_secs_f64() * 1000.0, it.at.elapsed().as_secs());
            let it = it.request;
            writeln!(
                out,
                "  {} node={} uid={} pid={} ms={took:.1}, {ago} s ago",
                it.operation, it.node, it.uid, it.pid
            )?;
        }
        Ok(())
    }
}

fn by_uid(out: &mut String, title: &str, budget: &Budget) -> std::fmt::Result {
    let all = budget.by_uid();
    writeln!(out, "{title}")?;
    for (uid, count) in all.iter().take(UIDS) {
        writeln!(out, "  {uid}: {count}")?;
    }
    if all.len() > UIDS {
        writeln!(out, "  and {} more", all.len() - UIDS)?;
    }
    Ok(())
}

/// How many of a hundred.
fn rate(hits: u64, all: u64) -> String {
    if all == 0 {
        return String::new();
    }
    format!(" ({}%)", hits.saturating_mul(100) / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_of_something() {
        assert_eq!(
            (rate(0, 0).as_str(), rate(1, 3).as_str(), rate(3, 3).as_str()),
            ("", " (33%)", " (100%)")
        );
    }
}
