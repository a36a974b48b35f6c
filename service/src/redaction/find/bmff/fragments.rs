//! Movie fragments: where the samples of a track are that `moof` adds (ISO 14496-12 §8.8).

use std::collections::BTreeMap;

use super::super::finding::Finding;
use super::super::input::{Input, Section, Unreadable};
use super::boxes::{self, Head, be32};
use super::track::{Verdict, text_tells};
use super::{samples, words};

/// Fragments, and what is known of tracks.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    /// Each `moof`: its content and where the box begins.
    parts: Vec<(Section, u64)>,
    verdicts: BTreeMap<u32, Verdict>,
    sizes: BTreeMap<u32, u32>,
}

/// What a fragment says of one track.
struct Run {
    track: u32,
    base: u64,
    size: Option<u32>,
}

impl Fragments {
    /// Remembers a fragment: the tracks may be described behind it.
    pub(super) fn add(&mut self, body: Section, start: u64) {
        self.parts.push((body, start));
    }

    /// Remembers what to do with a track. Two of the same number: the worse one is true.
    pub(super) fn judge(&mut self, track: u32, verdict: Verdict) {
        let known = self.verdicts.entry(track).or_insert(verdict);
        if !matches!(known, Verdict::Hide(_)) && verdict != Verdict::Leave {
            *known = verdict;
        }
    }

    /// `trex`: how long samples of a track are where a fragment says nothing.
    pub(super) fn defaults(&mut self, input: &Input<'_>, body: Section) -> Result<(), Unreadable> {
        let data = input.array::<20>(body.start)?.filter(|_| body.len() >= 20).unwrap_or_default();
        if let (Some(track @ 1..), Some(size)) = (be32(&data, 4), be32(&data, 16)) {
            self.sizes.insert(track, size);
        }
        Ok(())
    }

    /// Hides the samples of located tracks.
    pub(super) fn find(
        self,
        input: &Input<'_>,
        file: Section,
        out: &mut Vec<Finding>,
    ) -> Result<(), Unreadable> {
        if self.verdicts.values().all(|it| *it == Verdict::Leave) {
            return Ok(());
        }
        for (body, start) in &self.parts {
            self.fragment(input, file, *body, start.saturating_sub(file.start), out)?;
        }
        Ok(())
    }

    fn fragment(
        &self,
        input: &Input<'_>,
        file: Section,
        body: Section,
        start: u64,
        out: &mut Vec<Finding>,
    ) -> Result<(), Unreadable> {
        let (parts, _) = boxes::list(input, body)?;
        // Where the data of the track before ended, for a track that does not say where its own begins.
        let mut after = start;
        for part in parts.iter().filter(|it| &it.kind == b"traf") {
            let (heads, _) = boxes::list(input, part.body)?;
            let Some(header) = heads.iter().find(|it| &it.kind == b"tfhd") else { continue };
            let Some(run) = self.header(input, header, start, after)? else { continue };
            let verdict = self.verdicts.get(&run.track).copied().unwrap_or(Verdict::Leave);
            after = run.base;
            for head in heads.iter().filter(|it| &it.kind == b"trun") {
                let Some((offset, length)) = self.run(input, head, &run, after)? else { continue };
                after = offset.saturating_add(length);
                let data = super::at(file, offset, length);
                match verdict {
                    Verdict::Hide(kind) => samples::hide(data, kind, out),
                    Verdict::Ask(kind) if text_tells(input, data)? => samples::hide(data, kind, out),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn header(
        &self,
        input: &Input<'_>,
        head: &Head,
        start: u64,
        after: u64,
    ) -> Result<Option<Run>, Unreadable> {
        let data = input
            .read(Section { end: head.body.end.min(head.body.start.saturating_add(64)), ..head.body })?;
        let (Some(flags), Some(track)) = (be32(&data, 0), be32(&data, 4)) else { return Ok(None) };
        let mut at = 8;
        let mut base = if flags & 0x2_0000 != 0 { start } else { after };
        if flags & 1 != 0 {
            base = boxes::be64(&data, at).unwrap_or(base);
            at += 8;
        }
        at += if flags & 2 != 0 { 4 } else { 0 };
        at += if flags & 8 != 0 { 4 } else { 0 };
        let own = if flags & 0x10 != 0 { be32(&data, at) } else { None };
        Ok(Some(Run { track, base, size: own.or_else(|| self.sizes.get(&track).copied()) }))
    }

    /// Where the samples of a `trun` begin, counted from the start of the file, and how long they are together.
    fn run(
        &self,
        input: &Input<'_>,
        head: &Head,
        run: &Run,
        after: u64,
    ) -> Result<Option<(u64, u64)>, Unreadable> {
        let body = head.body;
        let fixed = input.read(Section { end: body.end.min(body.start.saturating_add(16)), ..body })?;
        let (Some(flags), Some(count)) = (be32(&fixed, 0), be32(&fixed, 4)) else { return Ok(None) };
        let mut at = 8;
        let mut offset = after;
        if flags & 1 != 0 {
            let signed = be32(&fixed, 8).unwrap_or(0).cast_signed();
            offset = run.base.saturating_add_signed(i64::from(signed));
            at += 4;
        }
        at += if flags & 4 != 0 { 4 } else { 0 };
        if flags & 0x200 == 0 {
            let size = run.size.unwrap_or(0);
            return Ok(Some((offset, u64::from(size).saturating_mul(u64::from(count)))));
        }
        let fields = (flags & 0xf00).count_ones() as usize;
        let before = usize::from(flags & 0x100 != 0);
        let entries = words::behind(body, at);
        // Never more than there are bytes for; the budget of bytes bounds the read.
        let data = input.read(Section {
            end: entries
                .end
                .min(entries.start.saturating_add(u64::from(count).saturating_mul(fields as u64 * 4))),
            ..entries
        })?;
        let sizes = data.chunks_exact(fields * 4).filter_map(|entry| be32(entry, before * 4));
        Ok(Some((offset, sizes.map(u64::from).fold(0, u64::saturating_add))))
    }
}
