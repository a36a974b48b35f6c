//! Scans as clients ask for them: paths as apps see them, volumes by name.

use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use super::Shared;
use super::volumes::Attached;
use crate::control::{Control as _, ControlError, ExplainRequest, Explanation, ScanStatus};
use crate::lower::{FileKind, LowerError, Meta};
use crate::ops;
use crate::scanner::{self, Area, Phase};

impl Shared {
    /// Scans what is at `path`, or every volume.
    pub(super) fn begin_scan(&self, path: Option<&[u8]>) -> Result<Vec<ScanStatus>, ControlError> {
        let Some(path) = path else {
            return self.volumes.all().iter().map(|it| request(it, Vec::new())).collect();
        };
        let (attached, below) = self.locate(path)?;
        let below = below.strip_suffix(b"/").unwrap_or(below);
        match kind(&attached, below)? {
            Some(FileKind::Directory) => Ok(vec![request(&attached, below.to_vec())?]),
            Some(FileKind::File) | None => Ok(vec![scan_file(&attached, path, below)?]),
        }
    }

    /// Scans the file at `path` if `uid` may read it. What is gone has nothing to be read.
    pub(super) fn begin_scan_for(&self, uid: u32, path: &[u8]) -> Result<Vec<ScanStatus>, ControlError> {
        let (attached, below) = self.locate(path)?;
        // First what the mount would say: whether there is anything is not for everybody to know.
        let there = self.may(uid, "getattr", path)?;
        if !there.is_some_and(|it| it.allowed || ops::is_nothing(&it.rule)) {
            return Ok(vec![nothing(&attached, path)]);
        }
        match kind(&attached, below)? {
            // As if it were not there.
            Some(FileKind::File) if !self.may(uid, "read", path)?.is_some_and(|it| it.allowed) => {
                return Ok(vec![nothing(&attached, path)]);
            }
            Some(FileKind::Directory) => {
                return Err(ControlError::Invalid(
                    "that is a directory; apps may have files scanned".to_owned(),
                ));
            }
            Some(FileKind::File) | None => {}
        }
        Ok(vec![scan_file(&attached, path, below)?])
    }

    /// What would be answered to `uid`; nothing if that cannot be said, which is not for the caller to hear.
    fn may(&self, uid: u32, operation: &str, path: &[u8]) -> Result<Option<Explanation>, ControlError> {
        let question = ExplainRequest { uid, operation: operation.to_owned(), path: path.to_vec(), to: None };
        match self.explain(&question) {
            Ok(answer) => Ok(Some(answer)),
            Err(error @ ControlError::Invalid(_)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// All scans that are known.
    pub(super) fn all_scans(&self) -> Vec<ScanStatus> {
        let of = |it: &Arc<Attached>| -> Vec<ScanStatus> {
            let scans = it.scanner.iter().flat_map(scanner::Scanner::scans);
            scans.map(|scan| status(it, &scan)).collect()
        };
        self.volumes.all().iter().flat_map(of).collect()
    }

    /// Cancels a scan.
    pub(super) fn end_scan(&self, volume: &str, ticket: u64) -> Result<(), ControlError> {
        let attached = self.volumes.find(volume);
        let scanner = attached.as_ref().and_then(|it| it.scanner.as_ref());
        match scanner {
            Some(scanner) if scanner.cancel(ticket) => Ok(()),
            _ => Err(ControlError::NotFound(format!(
                "no scan {ticket} of a volume {volume:?} is waiting or running"
            ))),
        }
    }
}

fn kind(attached: &Attached, below: &[u8]) -> Result<Option<FileKind>, ControlError> {
    match attached.volume.lower.open_path(below).and_then(|fd| Meta::of(fd.as_fd())) {
        Ok(meta) => Ok(Some(meta.kind)),
        Err(error) if LowerError::is_not_found(error) => Ok(None),
        Err(error) => Err(ControlError::Failed(format!("it cannot be looked at: {error}"))),
    }
}

pub(super) fn request(attached: &Attached, path: Vec<u8>) -> Result<ScanStatus, ControlError> {
    // The tree of the only user is all there is.
    let all = matches!(attached.volume.users.as_slice(), [user] if user.to_string().as_bytes() == path);
    let path = if all { Vec::new() } else { path };
    let area = Area { path, believes_emptiness: true };
    let scanner = attached.scanner.as_ref();
    let ticket = scanner.and_then(|scanner| scanner.request(area));
    let ticket = ticket.ok_or_else(|| {
        ControlError::Failed("too many scans wait already; ask again when one is over".to_owned())
    })?;
    let known = scanner.and_then(|scanner| scanner.scans().into_iter().find(|scan| scan.ticket == ticket));
    known
        .map(|scan| status(attached, &scan))
        .ok_or_else(|| ControlError::Failed("the scan was cancelled".to_owned()))
}

fn scan_file(attached: &Attached, path: &[u8], below: &[u8]) -> Result<ScanStatus, ControlError> {
    let began = std::time::Instant::now();
    let (numbers, read) = scanner::scan_file(&attached.volume, below)
        .map_err(|error| ControlError::Failed(format!("the index does not work: {error}")))?;
    Ok(ScanStatus {
        files: numbers.files,
        added: numbers.added,
        changed: numbers.changed,
        removed: numbers.removed,
        failed: numbers.failed,
        read: u64::from(read.is_some()),
        incomplete: u64::from(read == Some(false)),
        millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        ..nothing(attached, path)
    })
}

fn nothing(attached: &Attached, path: &[u8]) -> ScanStatus {
    let (volume, phase) = (attached.config.name.clone(), "done".to_owned());
    ScanStatus { volume, phase, path: path.to_vec(), ..ScanStatus::default() }
}

fn status(attached: &Attached, scan: &scanner::ScanStatus) -> ScanStatus {
    let shown = |below: &[u8]| {
        let mount = attached.config.mount.as_os_str().as_bytes();
        if below.is_empty() { mount.to_vec() } else { [mount, b"/", below].concat() }
    };
    let phase = match scan.phase {
        Phase::Waiting => "waiting",
        Phase::Walking => "walking",
        Phase::Reading => "reading",
        Phase::Done => "done",
        Phase::Cancelled => "cancelled",
        Phase::Failed => "failed",
    };
    ScanStatus {
        volume: attached.config.name.clone(),
        ticket: scan.ticket,
        phase: phase.to_owned(),
        path: shown(&scan.area.path),
        at: shown(&scan.numbers.path),
        directories: scan.numbers.directories,
        files: scan.numbers.files,
        added: scan.numbers.added,
        changed: scan.numbers.changed,
        removed: scan.numbers.removed,
        failed: scan.numbers.failed,
        read: scan.read,
        incomplete: scan.unreadable,
        millis: u64::try_from(scan.took.as_millis()).unwrap_or(u64::MAX),
        walk_millis: u64::try_from(scan.walked.as_millis()).unwrap_or(u64::MAX),
        emptied: scan.numbers.emptied,
    }
}
