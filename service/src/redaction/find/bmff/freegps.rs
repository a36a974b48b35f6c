//! Dashboard cameras that keep their track in blocks between the frames ("freeGPS ", Novatek and others).

use super::super::finding::{Finding, What};
use super::super::input::{Input, Section, Unreadable};
use super::boxes::be32;
use super::{Walker, words};

/// Blocks begin at multiples of this in every known file (ExifTool, QuickTimeStream: "absolute 0x8000-byte boundary").
const BOUNDARY: u64 = 0x8000;
/// In files without a table of blocks: if none begins in so many bytes of the media, there is none. ExifTool's samples
/// have the first one within 2 MB.
const PROBED: u64 = 4 << 20;
const MARK: &[u8] = b"freeGPS ";

impl Walker<'_, '_> {
    /// `gps ` of Novatek lists places and lengths of blocks; they are hidden as well. The box itself may as well be a
    /// log, which lists nothing.
    pub(super) fn freegps_table(&mut self, body: Section) -> Result<(), Unreadable> {
        let table = words::behind(body, 8);
        let table = Section { end: table.end.min(table.start.saturating_add(1 << 20)), ..table };
        for entry in self.input.read(table)?.chunks_exact(8) {
            let (Some(offset), Some(length)) = (be32(entry, 0), be32(entry, 4)) else { break };
            let block = self.at(u64::from(offset), u64::from(length));
            if block.len() < 12 {
                continue;
            }
            self.input.step()?;
            if self.input.array::<8>(block.start.saturating_add(4))?.is_some_and(|it| it == MARK) {
                self.push(block, What::Samples { kind: *b"gps " });
            }
        }
        Ok(())
    }
}

/// Looks for blocks in media data where no table tells of them.
pub(super) fn probe(input: &Input<'_>, media: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let mut until = media.end.min(media.start.saturating_add(PROBED));
    let mut at = media.start.next_multiple_of(BOUNDARY);
    while at < until {
        input.step()?;
        if let Some(head) = input.array::<12>(at)?.filter(|it| it.ends_with(MARK)) {
            let length = u64::from(be32(&head, 0).unwrap_or(0)).max(BOUNDARY);
            let block = Section { start: at, end: at.saturating_add(length).min(media.end) };
            out.push(Finding::zeroed(block, What::Samples { kind: *b"gps " }));
            until = media.end;
        }
        let Some(next) = at.checked_add(BOUNDARY) else { break };
        at = next;
    }
    Ok(())
}
