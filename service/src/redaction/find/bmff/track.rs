//! Tracks: which ones tell a location.

use super::super::input::{Input, Section, Unreadable};
use super::boxes::{self, Head};
use super::samples::Chunks;
use super::words;

/// Sample entries of timed metadata with positions, whatever the handler: GoPro, Google's camera motion, Sony,
/// Parrot and others, DataKam, DJI.
const LOCATED: [&[u8; 4]; 8] = [b"gpmd", b"camm", b"rtmd", b"RVMI", b"gps ", b"GPS ", b"djmd", b"dbgi"];

/// Handlers whose samples are not metadata.
const MEDIA: [&[u8; 4]; 13] = [
    b"vide", b"soun", b"tmcd", b"hint", b"auxv", b"pict", b"clcp", b"subp", b"odsm", b"sdsm", b"hapt",
    b"volv", b"vpic",
];

/// Handlers of text that somebody should read, or that a drone writes its position in.
const TEXT: [&[u8; 4]; 3] = [b"text", b"sbtl", b"subt"];

/// Sample entries of timed metadata that are known to hold no position: Canon's and GoPro's frame data, time codes.
const HARMLESS: [&[u8; 4]; 3] = [b"CTMD", b"fdsc", b"tmcd"];

/// Kinds of MIME-typed metadata that are known to hold no position: Google's motion photos.
const HARMLESS_TYPES: [&[u8]; 2] = [b"application/motionphoto", b"application/microvideo"];

/// Looked at of each description of samples. Apple's lists of keys have a few kilobytes.
const ENTRY: u64 = 64 << 10;
/// Texts that are longer, all of a track together, are no subtitles.
const TEXTS: u64 = 8 << 20;

/// What is to be done with a track's samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Leave,
    /// They are hidden.
    Hide([u8; 4]),
    /// They are texts: one has to look at each part.
    Ask([u8; 4]),
}

/// A track as far as it was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    pub(super) id: u32,
    pub(super) chunks: Chunks,
    handler: [u8; 4],
    /// The types of the sample entries, and what they say of themselves.
    entries: Vec<([u8; 4], Entry)>,
}

/// What a sample entry says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Located,
    Harmless,
    Silent,
}

impl Track {
    /// Takes in a box of the track.
    pub(super) fn table(&mut self, input: &Input<'_>, head: &Head, in_media: bool) -> Result<(), Unreadable> {
        let body = head.body;
        match &head.kind {
            b"tkhd" => {
                let offset = if input.array::<1>(body.start)? == Some([1]) { 20 } else { 12 };
                self.id = input.array::<4>(body.start.saturating_add(offset))?.map_or(0, u32::from_be_bytes);
            }
            // QuickTime has a second one below `minf`, for how the data is reached.
            b"hdlr" if in_media => {
                self.handler = input.array::<4>(body.start.saturating_add(8))?.unwrap_or_default();
            }
            b"stsd" => {
                let (entries, _) = boxes::list(input, words::behind(body, 8))?;
                for entry in &entries {
                    self.entries.push((entry.kind, describe(input, entry)?));
                }
            }
            _ => self.chunks.table(input, head.kind, body)?,
        }
        Ok(())
    }

    /// What is to be done with the samples.
    pub(super) fn verdict(&self, input: &Input<'_>, file: Section) -> Result<Verdict, Unreadable> {
        let kind = self.entries.first().map_or(self.handler, |it| it.0);
        if let Some((kind, _)) = self.entries.iter().find(|it| it.1 == Entry::Located) {
            return Ok(Verdict::Hide(*kind));
        }
        if MEDIA.contains(&&self.handler) {
            return Ok(Verdict::Leave);
        }
        if TEXT.contains(&&self.handler) {
            return Ok(if self.texts_tell(input, file)? { Verdict::Hide(kind) } else { Verdict::Ask(kind) });
        }
        if !self.entries.is_empty() && self.entries.iter().all(|it| it.1 == Entry::Harmless) {
            return Ok(Verdict::Leave);
        }
        Ok(Verdict::Hide(kind))
    }

    /// Whether the texts are telemetry. All are looked at: there may be no position for a long time.
    fn texts_tell(&self, input: &Input<'_>, file: Section) -> Result<bool, Unreadable> {
        let mut runs = Vec::new();
        self.chunks.runs(input, file, &mut |run| runs.push(run))?;
        if runs.iter().map(|it: &Section| it.len()).sum::<u64>() > TEXTS {
            return Ok(true);
        }
        for run in runs {
            if text_tells(input, run)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether a run of texts is telemetry.
pub(super) fn text_tells(input: &Input<'_>, run: Section) -> Result<bool, Unreadable> {
    Ok(run.len() > TEXTS || words::is_telemetry(&input.search(run)?))
}

/// What a sample entry says of itself.
fn describe(input: &Input<'_>, entry: &Head) -> Result<Entry, Unreadable> {
    if LOCATED.contains(&&entry.kind) {
        return Ok(Entry::Located);
    }
    if HARMLESS.contains(&&entry.kind) {
        return Ok(Entry::Harmless);
    }
    if !matches!(&entry.kind, b"mebx" | b"mett" | b"metx" | b"urim") {
        return Ok(Entry::Silent);
    }
    let shown = Section { end: entry.body.end.min(entry.body.start.saturating_add(ENTRY)), ..entry.body };
    let says = input.read(shown)?;
    Ok(match &entry.kind {
        _ if words::names_location(&says) || shown != entry.body => Entry::Located,
        // Apple's lists all keys that occur.
        b"mebx" => Entry::Harmless,
        _ if HARMLESS_TYPES.iter().any(|it| words::holds(&says, it)) => Entry::Harmless,
        _ => Entry::Silent,
    })
}
