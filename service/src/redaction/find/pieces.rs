//! Something that a container cuts into pieces: EXIF, XMP or Photoshop's resources of more than one JPEG segment.

use std::io;

use super::finding::Finding;
use super::input::{Input, ReadAt, Section, Unreadable};

/// Pieces of a file, read as one.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    data: Vec<u8>,
    /// Where each piece begins in `data`, and where it lies in the file; ascending by the first.
    places: Vec<(u64, Section)>,
}

impl Pieces {
    /// Appends a piece.
    pub(super) fn push(&mut self, input: &Input<'_>, piece: Section) -> Result<(), Unreadable> {
        let data = input.read(piece)?;
        if !data.is_empty() {
            let end = piece.start.saturating_add(data.len() as u64);
            self.places.push((self.data.len() as u64, Section { start: piece.start, end }));
            self.data.extend_from_slice(&data);
        }
        Ok(())
    }

    /// All bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// Looks at the pieces as one, and says of what it finds where in the file that lies.
    pub(super) fn find(
        &self,
        input: &Input<'_>,
        out: &mut Vec<Finding>,
        look: impl FnOnce(&Input<'_>, Section, &mut Vec<Finding>) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        let mut found = Vec::new();
        input.other(self, |joined| look(joined, joined.whole(), &mut found))?;
        for finding in found {
            let first = self.places.partition_point(|(at, place)| at + place.len() <= finding.start);
            for &(at, place) in self.places.iter().skip(first).take_while(|(at, _)| *at < finding.end) {
                input.step()?;
                let from = finding.start.saturating_sub(at).min(place.len());
                let to = finding.end.saturating_sub(at).min(place.len());
                out.push(Finding { start: place.start + from, end: place.start + to, ..finding.clone() });
            }
        }
        Ok(())
    }
}

impl ReadAt for Pieces {
    fn len(&self) -> u64 {
        self.data.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.data.as_slice().read_at(buffer, offset)
    }
}
