//! What a media file says of itself.
//!
//! Files come from anybody. Reading one is bounded in bytes and time (`input`), and every reader here takes what it is
//! told for a claim. A file that cannot be understood costs its own facts only: what was found before the trouble is
//! kept, and the trouble is told ([`Extracted::problem`]). Libraries are used where they keep those bounds (`lofty`,
//! `quick-xml`), with a net under them for panics.
//!
//! The contents decide what a file is, within the top-level type of its name: a WebP called `.jpg` is read as WebP, and a
//! film called `.jpg` is not read.

mod adts;
mod audio;
mod boxes;
mod bytes;
mod codec;
mod exif;
mod heif;
mod ilst;
mod input;
mod matroska;
mod movie;
mod picture;
pub mod playlist;
#[cfg(test)]
mod tests;
mod time;
mod xmp;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use crate::catalog::{AudioFacts, ImageFacts, Location, MediaFacts, SpecialFormat, VideoFacts, XmpIds};
pub use input::{Problem, Source};

use bytes::four;
use input::Input;

/// What is known of a file before it is looked into.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// MIME type of its name.
    pub mime: &'a str,
    /// When it was modified, in milliseconds since 1970: a witness for dates without a zone.
    pub modified_ms: Option<i64>,
}

/// What was found in a file.
#[derive(Debug, Default)]
pub struct Extracted {
    /// What it says.
    pub facts: MediaFacts,
    /// Where it was made: never to be shown with the facts.
    pub location: Option<Location>,
    /// Why the facts are not complete.
    pub problem: Option<Problem>,
}

/// What the readers fill.
#[derive(Default)]
struct Found {
    facts: MediaFacts,
    /// Degrees north and east.
    location: Option<(f64, f64)>,
}

/// Whether files of a MIME type are looked into at all.
pub fn is_read(mime: &str) -> bool {
    ["image/", "video/", "audio/"].iter().any(|kind| mime.starts_with(kind)) || mime == "application/ogg"
}

/// Reads what a file says of itself.
pub fn extract(file: &mut dyn Source, context: &Context<'_>) -> Extracted {
    let mut found = Found::default();
    // What a panic leaves behind is a few plain values.
    let outcome = catch_unwind(AssertUnwindSafe(|| read(file, context, &mut found)));
    let problem = outcome.unwrap_or(Err(Problem::Panicked)).err();
    let mut facts = found.facts;
    tidy(&mut facts);
    Extracted { facts, location: found.location.and_then(place), problem }
}

fn read(file: &mut dyn Source, context: &Context<'_>, found: &mut Found) -> Result<(), Problem> {
    if !is_read(context.mime) {
        return Ok(());
    }
    let mut input = Input::new(file)?;
    if input.size() == 0 {
        return Ok(());
    }
    let outcome = by_contents(&mut input, context, found);
    let of_time = !context.mime.starts_with("image/");
    if let Some(millis) = found.facts.duration_ms.filter(|_| of_time) {
        let bits = u128::from(input.size()) * 8000;
        found.facts.bitrate = bits.checked_div(millis.into()).and_then(|rate| u32::try_from(rate).ok());
    }
    outcome
}

/// What a file is by its first bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Jpeg,
    Png,
    Gif,
    Webp,
    Heif(&'static str),
    Iso(&'static str),
    Matroska,
    Other,
}

fn form(head: &[u8]) -> Form {
    if head.starts_with(&[0xff, 0xd8, 0xff]) {
        return Form::Jpeg;
    }
    if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Form::Png;
    }
    if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
        return Form::Gif;
    }
    if head.starts_with(b"RIFF") && four(head, 8) == Some(*b"WEBP") {
        return Form::Webp;
    }
    if head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) {
        return Form::Matroska;
    }
    match four(head, 4).as_ref() {
        Some(b"ftyp") => brand(head),
        // QuickTime's older films begin with any of these.
        Some(b"moov" | b"mdat" | b"wide" | b"free" | b"skip" | b"pnot") => Form::Iso("video/quicktime"),
        _ => Form::Other,
    }
}

/// By the brands of `ftyp`, the major one first.
fn brand(head: &[u8]) -> Form {
    let end = bytes::be(head, 0, 4).and_then(|end| usize::try_from(end).ok()).unwrap_or(0).min(head.len());
    let brands = head.get(8..end).unwrap_or_default().chunks_exact(4).enumerate();
    // Behind the major brand stands a version.
    let mut generic = None;
    for (_, brand) in brands.filter(|(index, _)| *index != 1) {
        match brand {
            b"avif" | b"avis" => return Form::Heif("image/avif"),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => return Form::Heif("image/heic"),
            b"mif1" | b"msf1" => generic = generic.or(Some(Form::Heif("image/heif"))),
            b"qt  " => generic = generic.or(Some(Form::Iso("video/quicktime"))),
            [b'3', b'g', b'p' | b'r' | b's', _] => generic = generic.or(Some(Form::Iso("video/3gpp"))),
            [b'3', b'g', b'2', _] => generic = generic.or(Some(Form::Iso("video/3gpp2"))),
            _ => generic = generic.or(Some(Form::Iso("video/mp4"))),
        }
    }
    generic.unwrap_or(Form::Iso("video/mp4"))
}

fn by_contents(input: &mut Input<'_>, context: &Context<'_>, found: &mut Found) -> Result<(), Problem> {
    let head = input.bytes(input.size().min(256), 256)?;
    let form = form(&head);
    let kind = context.mime.split('/').next().unwrap_or_default();
    let is_picture = matches!(form, Form::Jpeg | Form::Png | Form::Gif | Form::Webp | Form::Heif(_));
    if is_picture != (kind == "image") {
        return match form {
            Form::Other => Ok(()),
            _ => Err(Problem::Malformed("it holds something else than its name says")),
        };
    }
    let mime = match form {
        Form::Jpeg => Some("image/jpeg"),
        Form::Png => Some("image/png"),
        Form::Gif => Some("image/gif"),
        Form::Webp => Some("image/webp"),
        Form::Heif(mime) => Some(mime).filter(|_| !matches!(context.mime, "image/heif" | "image/heic")),
        Form::Iso(mime) => Some(mime).filter(|_| kind == "video" && !is_iso(context.mime)),
        Form::Matroska => matroska_mime(&head).filter(|_| kind == "video"),
        Form::Other => None,
    };
    found.facts.mime = mime.filter(|mime| *mime != context.mime).map(str::to_owned);
    match form {
        Form::Jpeg => picture::jpeg(input, context, found),
        Form::Png => picture::png(input, context, found),
        Form::Gif => picture::gif(input, found),
        Form::Webp => picture::webp(input, context, found),
        Form::Heif(_) => heif::read(input, context, found),
        Form::Iso(_) => movie::read(input, found),
        Form::Matroska => matroska::read(input, found),
        Form::Other if kind == "video" => Ok(()),
        Form::Other => audio::read(input, context.mime, found),
    }
}

/// MIME types of names that the ISO base media format hides behind, rightly.
fn is_iso(mime: &str) -> bool {
    matches!(
        mime,
        "video/mp4" | "video/quicktime" | "video/3gpp" | "video/3gpp2" | "video/x-m4v" | "video/mp4v-es"
    )
}

/// By the document type, which stands in the first element.
fn matroska_mime(head: &[u8]) -> Option<&'static str> {
    let holds = |word: &[u8]| head.windows(word.len()).any(|window| window == word);
    if holds(b"webm") { Some("video/webm") } else { holds(b"matroska").then_some("video/x-matroska") }
}

/// Takes away what says nothing.
fn tidy(facts: &mut MediaFacts) {
    facts.audio = facts.audio.take().filter(|it| **it != AudioFacts::default());
    facts.image = facts.image.take().filter(|it| **it != ImageFacts::default());
    facts.xmp = facts.xmp.take().filter(|it| **it != XmpIds::default());
}

/// Degrees as the catalog keeps them. Exactly (0, 0) is what devices write that do not know.
fn place((latitude, longitude): (f64, f64)) -> Option<Location> {
    if latitude == 0.0 && longitude == 0.0 {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast saturates, and degrees times ten million fit"
    )]
    let e7 = |degrees: f64| (degrees * 1e7).round() as i32;
    Some(Location { latitude_e7: e7(latitude), longitude_e7: e7(longitude) })
}

/// `3/12` or `3`; 0 is nothing.
fn number_and_total(text: &str) -> (Option<u32>, Option<u32>) {
    let mut parts = text.splitn(2, '/').map(|part| part.trim().parse().ok().filter(|number| *number > 0));
    (parts.next().flatten(), parts.next().flatten())
}

/// The year that a date begins with; never 0.
fn year(text: &str) -> Option<i32> {
    let digits = text.trim().get(..4)?;
    digits.parse().ok().filter(|year| *year > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
