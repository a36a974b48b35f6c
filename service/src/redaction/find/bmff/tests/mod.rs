//! Files are built here box by box.

mod build;
mod hostile;
mod items;
mod plain;
mod tracks;

use super::super::{Finding, Format, Report, Unreadable, What, find};

pub(super) fn report(file: &[u8]) -> Report {
    find(&file).unwrap()
}

/// The file with everything hidden.
pub(super) fn redacted(file: &[u8]) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for it in report(file).findings {
        it.fill.fill(&mut bytes[it.start as usize..it.end as usize]);
    }
    bytes
}

/// Where `needle` lies in `file`.
pub(super) fn place(file: &[u8], needle: &[u8]) -> (u64, u64) {
    let at = file.windows(needle.len()).position(|it| it == needle).expect("it is there") as u64;
    (at, at + needle.len() as u64)
}

pub(super) fn ranges(findings: &[Finding]) -> Vec<(u64, u64)> {
    findings.iter().map(|it| (it.start, it.end)).collect()
}
