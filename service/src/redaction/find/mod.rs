//! Where in a file it says where the file was made.
//!
//! [`find`] looks at the bytes, never at the name, and trusts none of them: every number is checked against the file's
//! length and against [`Input`]'s budget, so that a crafted file costs at most that much time and memory. This room
//! stands alone: it knows nothing else of the service, so that a fuzzer can be built from it.
//!
//! What is found is hidden by zeros in place: the file keeps its length and its structure, a decoder still opens it.
//! A block that cannot be understood but whose bounds are known is hidden as a whole. Where not even the bounds are
//! known, the answer is [`Unreadable`], and the file is refused to whom it would have to be redacted for.

mod bmff;
mod exif;
mod finding;
mod flir;
mod gif;
mod gpmf;
mod inflate;
mod input;
mod iptc;
mod jpeg;
mod matroska;
mod mentions;
mod others;
mod pieces;
mod png;
#[cfg(test)]
mod samples;
mod sound;
mod sums;
#[cfg(test)]
mod tests;
mod tiff;
mod trailer;
mod unknown;
mod webp;
mod words;
mod xml;
mod xmp;
mod xmp_names;

pub use finding::{Fill, Finding, Format, Report, What};
pub use input::{Input, ReadAt, Section, Unreadable};

/// One more with every change after which other bytes are found: what an older version found is looked for again.
pub const VERSION: u32 = 2;

/// Everything in the file that tells a location.
///
/// # Errors
///
/// When the file cannot be read, or is so made that hiding only parts of it cannot be trusted.
pub fn find(file: &dyn ReadAt) -> Result<Report, Unreadable> {
    let input = Input::new(file);
    let mut findings = Vec::new();
    let format = whole(&input, input.whole(), &mut findings)?;
    drop_blank(&input, &mut findings)?;
    finding::settle(&mut findings);
    sums::find(&input, &mut findings)?;
    Ok(Report { format, findings })
}

/// Drops what is hidden already, so that a redacted copy is a file without a location.
fn drop_blank(input: &Input<'_>, findings: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let mut kept = Vec::with_capacity(findings.len());
    for finding in findings.drain(..) {
        if !is_blank(input, Section { start: finding.start, end: finding.end })? {
            kept.push(finding);
        }
    }
    *findings = kept;
    Ok(())
}

/// Whether there is nothing but zeros, or but spaces, in `section`; if it is long, nobody looks.
fn is_blank(input: &Input<'_>, section: Section) -> Result<bool, Unreadable> {
    if section.len() > 1 << 20 {
        return Ok(false);
    }
    let (mut at, mut page) = (section.start, 64);
    let mut fill = None;
    while at < section.end {
        input.step()?;
        let data = input.search(Section { start: at, end: section.end.min(at.saturating_add(page)) })?;
        let Some(first) = data.first() else { break };
        let fill = *fill.get_or_insert(*first);
        if !matches!(fill, 0 | b' ') || data.iter().any(|it| *it != fill) {
            return Ok(false);
        }
        at = at.saturating_add(data.len() as u64);
        page = 64 << 10;
    }
    Ok(true)
}

/// Everything in the file that is `section`, whatever it is, and in what lies behind it.
fn whole(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<Format, Unreadable> {
    let begin = input.read(Section { end: section.end.min(section.start.saturating_add(64)), ..section })?;
    let format = picture(&begin);
    match format {
        Format::Jpeg => {
            if let Some(behind) = jpeg::find(input, section, out)? {
                trailer::find(input, behind, out)?;
            }
        }
        Format::Tiff => exif::find(input, section, out)?,
        Format::Png => png::find(input, section, out)?,
        Format::Webp => webp::find(input, section, out)?,
        Format::Gif => gif::find(input, section, out)?,
        Format::Psd => others::photoshop(input, section, out)?,
        Format::Raf => others::fujifilm(input, section, out)?,
        Format::Mrw => others::minolta(input, section, out)?,
        Format::Riff => webp::riff(input, section, out)?,
        Format::Flac => sound::flac(input, section, out)?,
        Format::Xmp => markup(input, section, out)?,
        _ if matroska::is_one(&begin) => {
            matroska::find(input, section, out)?;
            return Ok(Format::Matroska);
        }
        _ if bmff::is_one(input, section)? => return bmff::find(input, section, out),
        _ if begin.starts_with(b"ID3") => {
            let behind = sound::id3(input, section, out)?;
            return Ok(match input.nested(|| whole(input, behind, out)) {
                Some(format) => format?,
                None => return Err(Unreadable::TooMuch),
            });
        }
        _ => {
            if let Some(at) = behind_garbage(input, section)? {
                let before = out.len();
                let format = whole(input, words::behind(section, at), out)?;
                // It may as well be a part of something else, which says more.
                unknown::find(input, section, out.get(before..).unwrap_or_default())?;
                return Ok(format);
            }
            unknown::find(input, section, &[])?;
        }
    }
    Ok(format)
}

/// XMP by itself, or other XML with XMP's properties in it. Of other XML that cannot be taken apart (SVG with a document type)
/// nothing is hidden unless it speaks of a location.
fn markup(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let mut found = Vec::new();
    xmp::find(input, section, &mut found)?;
    let is_whole = found.iter().any(|it| matches!(it.what, What::Whole { .. }));
    let is_xmp = |data: &[u8]| words::holds(data, b"xmpmeta") || words::holds(data, b"rdf:rdf");
    let tells = |data: &[u8]| {
        let narrow: Vec<u8> = data.iter().copied().filter(|it| *it != 0).collect();
        is_xmp(&narrow) || words::speaks_at_length(&narrow)
    };
    if !is_whole || mentions::any(input, section, tells)? {
        out.append(&mut found);
    }
    Ok(())
}

/// Where a picture begins behind bytes that are nothing: exiftool looks for one in the first 1024.
fn behind_garbage(input: &Input<'_>, section: Section) -> Result<Option<u64>, Unreadable> {
    let begin =
        input.read(Section { end: section.end.min(section.start.saturating_add(1024)), ..section })?;
    let is_start = |it: &[u8]| it.starts_with(b"\xff\xd8\xff") || matches!(it, b"II*\0" | b"MM\0*");
    Ok(begin.windows(4).position(is_start).filter(|at| *at > 0).map(|at| at as u64))
}

/// The same for a file in a file.
fn embedded(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    if section.is_empty() {
        return Ok(());
    }
    input.step()?;
    match input.nested(|| whole(input, section, out)) {
        Some(done) => done.map(|_| ()),
        // Nobody nests files so deep but to hide something.
        None => {
            out.push(Finding::zeroed(section, What::Whole { block: "too many files in files" }));
            Ok(())
        }
    }
}

/// Which still picture's container begins so.
fn picture(begin: &[u8]) -> Format {
    match *begin {
        [0xff, 0xd8, ..] => Format::Jpeg,
        [b'I', b'I', 42 | 43 | 0x55 | 0xbc, ..] | [b'I', b'I', b'R', b'O' | b'S', ..] => Format::Tiff,
        [b'M', b'M', 0, 42 | 43, ..] | [b'M', b'M', b'O' | b'S', b'R', ..] => Format::Tiff,
        [0x89, b'P', b'N', b'G', ..] | [0x8a, b'M', b'N', b'G', ..] | [0x8b, b'J', b'N', b'G', ..] => {
            Format::Png
        }
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Format::Webp,
        [b'R', b'I', b'F', b'F', ..] => Format::Riff,
        [b'f', b'L', b'a', b'C', ..] => Format::Flac,
        [b'G', b'I', b'F', b'8', ..] => Format::Gif,
        [b'8', b'B', b'P', b'S', ..] => Format::Psd,
        [0, b'M', b'R', b'M', ..] => Format::Mrw,
        _ if begin.starts_with(b"FUJIFILMCCD-RAW") => Format::Raf,
        _ => {
            // Sidecars of XMP with or without a declaration, SVG and other XML, in UTF-8 or UTF-16.
            let text = begin.iter().filter(|it| !matches!(it, 0 | 0xef | 0xbb | 0xbf | 0xfe | 0xff));
            let mut text = text.skip_while(|it| it.is_ascii_whitespace());
            let is_markup = text.next() == Some(&b'<')
                && text.next().is_some_and(|it| it.is_ascii_alphabetic() || matches!(it, b'?' | b'!'));
            if is_markup { Format::Xmp } else { Format::Other }
        }
    }
}
