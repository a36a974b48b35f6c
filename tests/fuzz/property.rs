//! What holds for any bytes: no panic, ranges inside of the file, a bounded amount of reading.

use std::cell::Cell;
use std::io;

use crate::find::{ReadAt, find};

/// What `find` reads at most, whatever is in the file (its budgets, `find/input.rs`).
const MOST_READ: u64 = (64 + 128 + 64) << 20;
/// Pieces that are looked at at most; none is found without one of these.
const MOST_FINDINGS: usize = 1 << 22;

/// Bytes that count what is read of them.
struct Counted<'a> {
    data: &'a [u8],
    read: Cell<u64>,
}

impl ReadAt for Counted<'_> {
    fn len(&self) -> u64 {
        self.data.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let n = self.data.read_at(buffer, offset)?;
        self.read.set(self.read.get() + n as u64);
        Ok(n)
    }
}

/// Looks at `data`, and panics if something does not hold.
pub(crate) fn check(data: &[u8]) {
    let file = Counted { data, read: Cell::new(0) };
    let result = find(&file);
    assert!(file.read.get() <= MOST_READ, "{} bytes were read of {}", file.read.get(), data.len());
    let Ok(report) = result else { return };
    assert!(report.findings.len() <= MOST_FINDINGS, "{} findings in {} bytes", report.findings.len(), data.len());
    for finding in &report.findings {
        let inside = finding.start <= finding.end && finding.end <= data.len() as u64;
        assert!(inside, "{finding:?} in a file of {} bytes", data.len());
    }
}
