//! `scan`.

use std::io::{IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::connection::Connection;
use super::failure::Failure;
use super::{output, volume};
use crate::binder::Client;
use crate::control::ScanStatus;

/// How often the service is asked how far it is.
const PERIOD: Duration = Duration::from_millis(200);

/// Bring the index up to date with what is on disk.
#[derive(Debug, Args)]
#[command(
    long_about = "Makes the index say what the lower tree says, and reads what media files say of themselves: of one \
        file, of a directory and all below it, or of every volume. Shows how far it is and returns when it is done; \
        Ctrl-C cancels it, and what was mended stays so. Files that did not change are not opened.\n\n\
        The service scans each volume when it is attached. If it then finds no file at all where the index knows some, it \
        leaves the index alone, as the disk may be missing; this command believes what it sees. Administrators may scan \
        everything, apps one file that they may read.",
    after_long_help = "Examples:\n  mediagate scan\n  mediagate scan /storage/emulated/0/DCIM\n  \
        mediagate scan /storage/emulated/0/DCIM/a.jpg --json"
)]
pub(super) struct Scan {
    /// File or directory, as apps see it [default: all volumes]
    path: Option<PathBuf>,
}

impl Scan {
    pub(super) fn run(self, connection: &Connection, json: bool) -> Result<String, Failure> {
        let path = self.path.map(volume::absolute).transpose()?.map(|path| path.into_os_string().into_vec());
        // From here on Ctrl-C waits until it is asked for.
        let held = held_signals()?;
        let client = connection.open()?;
        let mut scans = client.scan(path.as_deref())?;
        let mut line = Line { shown: std::io::stderr().is_terminal() && !json };
        while !scans.iter().all(ScanStatus::is_over) {
            line.show(&scans);
            if interrupted(&held)? {
                cancel(&client, &scans);
                line.clear();
                return Err(Failure::Failed("cancelled; what was mended stays so".to_owned()));
            }
            let now = client.scans()?;
            for scan in &mut scans {
                let same = |it: &&ScanStatus| it.volume == scan.volume && it.ticket == scan.ticket;
                match now.iter().find(same) {
                    Some(found) => *scan = found.clone(),
                    // Detached, or so long over that it is forgotten.
                    None if !scan.is_over() => scan.phase = "cancelled".to_owned(),
                    None => {}
                }
            }
        }
        line.clear();
        let failed = scans.iter().find(|scan| scan.phase != "done");
        if let Some(scan) = failed {
            return Err(Failure::Failed(format!(
                "the scan of {} was not finished: {}",
                scan.volume, scan.phase
            )));
        }
        if json { output::json(&scans) } else { Ok(table(&scans)) }
    }
}

/// Holds back what ends the command, until it is asked for.
pub(super) fn held_signals() -> Result<SignalFd, Failure> {
    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
    let held = signals.thread_block().and_then(|()| SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC));
    held.map_err(|error| Failure::Failed(format!("cannot hold back signals: {error}")))
}

/// Waits for a signal for one period.
pub(super) fn interrupted(held: &SignalFd) -> Result<bool, Failure> {
    let mut wanted = [PollFd::new(held.as_fd(), PollFlags::POLLIN)];
    let timeout = PollTimeout::try_from(PERIOD).unwrap_or(PollTimeout::ZERO);
    match poll(&mut wanted, timeout) {
        Ok(count) => Ok(count > 0),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(error) => Err(Failure::Failed(format!("cannot wait: {error}"))),
    }
}

fn cancel(client: &Client, scans: &[ScanStatus]) {
    for scan in scans.iter().filter(|scan| !scan.is_over()) {
        // It may be over by now.
        let _ = client.cancel_scan(&scan.volume, scan.ticket);
    }
}

/// The line that says how far it is, written over itself.
struct Line {
    shown: bool,
}

impl Line {
    fn show(&mut self, scans: &[ScanStatus]) {
        let Some(scan) = scans.iter().find(|scan| !scan.is_over()).filter(|_| self.shown) else { return };
        let rate = scan.files.saturating_mul(1000) / scan.millis.max(1);
        let text = format!(
            "{}: {}, {} files ({rate}/s), {} read, {}",
            scan.volume,
            scan.phase,
            scan.files,
            scan.read,
            output::escape(&scan.at)
        );
        let text: String = text.chars().take(78).collect();
        // Nobody may be looking.
        let _ = write!(std::io::stderr(), "\r{text:<78}");
    }

    fn clear(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r{:<78}\r", "");
        }
    }
}

fn table(scans: &[ScanStatus]) -> String {
    let rows: Vec<_> = scans
        .iter()
        .map(|scan| {
            let numbers =
                [scan.files, scan.added, scan.changed, scan.removed, scan.failed, scan.read, scan.incomplete];
            let [files, added, changed, removed, failed, read, incomplete] = numbers.map(|it| it.to_string());
            let path = output::escape(&scan.path);
            [
                scan.volume.clone(),
                path,
                files,
                added,
                changed,
                removed,
                failed,
                read,
                incomplete,
                scan.millis.to_string(),
            ]
        })
        .collect();
    let heading =
        ["VOLUME", "PATH", "FILES", "ADDED", "CHANGED", "REMOVED", "FAILED", "READ", "INCOMPLETE", "MS"];
    output::table(heading, &rows)
}
