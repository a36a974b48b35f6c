//! Scans between the AIDL types and those of [`crate::control`], for both ends.

use mediagate_aidl as aidl;

use super::field::{enumerator, word};
use crate::control::{ControlError, ScanStatus};

const PHASES: [(&str, aidl::ScanPhase); 6] = [
    ("waiting", aidl::ScanPhase::WAITING),
    ("walking", aidl::ScanPhase::WALKING),
    ("reading", aidl::ScanPhase::READING),
    ("done", aidl::ScanPhase::DONE),
    ("cancelled", aidl::ScanPhase::CANCELLED),
    ("failed", aidl::ScanPhase::FAILED),
];

pub(super) fn to_wire(scan: ScanStatus) -> Result<aidl::ScanStatus, ControlError> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    Ok(aidl::ScanStatus {
        phase: enumerator("phase of a scan", &PHASES, &scan.phase)?,
        volume: scan.volume,
        ticket: number(scan.ticket),
        path: scan.path,
        at: scan.at,
        directories: number(scan.directories),
        files: number(scan.files),
        added: number(scan.added),
        changed: number(scan.changed),
        removed: number(scan.removed),
        failed: number(scan.failed),
        read: number(scan.read),
        incomplete: number(scan.incomplete),
        millis: number(scan.millis),
        walkMillis: number(scan.walk_millis),
        emptied: scan.emptied,
    })
}

pub(super) fn from_wire(scan: aidl::ScanStatus) -> Result<ScanStatus, ControlError> {
    let number = |number: i64| number.max(0).cast_unsigned();
    Ok(ScanStatus {
        phase: word("phase of a scan", &PHASES, scan.phase)?.to_owned(),
        volume: scan.volume,
        ticket: number(scan.ticket),
        path: scan.path,
        at: scan.at,
        directories: number(scan.directories),
        files: number(scan.files),
        added: number(scan.added),
        changed: number(scan.changed),
        removed: number(scan.removed),
        failed: number(scan.failed),
        read: number(scan.read),
        incomplete: number(scan.incomplete),
        millis: number(scan.millis),
        walk_millis: number(scan.walkMillis),
        emptied: scan.emptied,
    })
}
