//! Sound outside of the ISO base media format and Matroska: MP3, FLAC, Ogg, WAV, AIFF, AAC and others, with `lofty`.
//!
//! The library reserves what a file says it needs, up to a limit of ours, and reads from an [`Input`], which ends.

use std::io::{Seek, SeekFrom};

use lofty::config::{GlobalOptions, ParseOptions, ParsingMode, apply_global_options};
use lofty::file::{AudioFile, FileType, TaggedFile, TaggedFileExt};
use lofty::probe::Probe;
use lofty::tag::{Accessor, ItemKey, Tag};

use super::bytes::clean;
use super::input::{Input, Problem};
use super::{Found, adts, number_and_total, year};
use crate::catalog::AudioFacts;

/// The most that the library may reserve for one thing.
const LARGEST: usize = 8 << 20;

/// The facts of a sound file; `mime` is what its name says.
pub(super) fn read(input: &mut Input<'_>, mime: &str, found: &mut Found) -> Result<(), Problem> {
    // Of this thread only, whatever the name says.
    apply_global_options(
        GlobalOptions::new()
            .allocation_limit(LARGEST)
            .use_custom_resolvers(false)
            .preserve_format_specific_items(false),
    );
    let file = match probe(input, mime, true) {
        // A picture may be larger than all that is read of a file.
        Err(Problem::Library(_) | Problem::Budget) => {
            input.refill();
            probe(input, mime, false)?
        }
        other => other?,
    };
    let millis = u64::try_from(file.properties().duration().as_millis()).ok();
    found.facts.duration_ms = millis.filter(|millis| *millis > 0);
    let audio = found.facts.audio.get_or_insert_default();
    audio.sample_rate = file.properties().sample_rate().filter(|rate| *rate > 0);
    audio.bits_per_sample = file.properties().bit_depth().filter(|bits| *bits > 0);
    audio.has_album_art = file.tags().iter().any(|tag| !tag.pictures().is_empty());
    // The format's own tag first; what it lacks an older one may have.
    let first = file.primary_tag().into_iter();
    for tag in first.chain(file.tags()) {
        tags(tag, &mut found.facts.title, audio);
    }
    if file.file_type() == FileType::Aac {
        found.facts.duration_ms = adts::duration(input)?;
    }
    Ok(())
}

fn probe(input: &mut Input<'_>, mime: &str, pictures: bool) -> Result<TaggedFile, Problem> {
    let options = ParseOptions::new().parsing_mode(ParsingMode::BestAttempt).read_cover_art(pictures);
    let outcome = read_file(input, mime, options);
    outcome.map_err(|error| input.stopped.take().unwrap_or(error))
}

fn read_file(input: &mut Input<'_>, mime: &str, options: ParseOptions) -> Result<TaggedFile, Problem> {
    input.seek(SeekFrom::Start(0))?;
    let mut probe = Probe::new(&mut *input).guess_file_type()?;
    if probe.file_type().is_none() {
        let kind = by_mime(mime).ok_or(Problem::Malformed("nothing in it tells what it is"))?;
        probe = probe.set_file_type(kind);
    }
    probe.options(options).read().map_err(|error| Problem::Library(error.to_string()))
}

fn by_mime(mime: &str) -> Option<FileType> {
    Some(match mime {
        "audio/mpeg" => FileType::Mpeg,
        "audio/aac" | "audio/x-aac" => FileType::Aac,
        "audio/flac" | "audio/x-flac" => FileType::Flac,
        "audio/x-wav" | "audio/wav" => FileType::Wav,
        "audio/x-aiff" | "audio/aiff" => FileType::Aiff,
        _ => return None,
    })
}

fn tags(tag: &Tag, title: &mut Option<String>, known: &mut AudioFacts) {
    let value = |key| tag.get_string(key).and_then(clean);
    let set = |place: &mut Option<String>, key| {
        if place.is_none() {
            *place = value(key);
        }
    };
    set(title, ItemKey::TrackTitle);
    set(&mut known.artist, ItemKey::TrackArtist);
    set(&mut known.album, ItemKey::AlbumTitle);
    set(&mut known.album_artist, ItemKey::AlbumArtist);
    set(&mut known.composer, ItemKey::Composer);
    if known.genre.is_none() {
        // Numbers of ID3v1's genres become words there.
        known.genre = tag.genre().as_deref().and_then(clean);
    }
    let (track, tracks) = value(ItemKey::TrackNumber).map_or((None, None), |it| number_and_total(&it));
    known.track = known.track.or(track);
    let total = value(ItemKey::TrackTotal).and_then(|it| number_and_total(&it).0);
    known.tracks = known.tracks.or(tracks).or(total);
    known.disc = known.disc.or_else(|| value(ItemKey::DiscNumber).and_then(|it| number_and_total(&it).0));
    let dates = [ItemKey::RecordingDate, ItemKey::Year, ItemKey::ReleaseDate, ItemKey::OriginalReleaseDate];
    known.year =
        known.year.or_else(|| dates.into_iter().find_map(|key| value(key).as_deref().and_then(year)));
    known.compilation = known.compilation.or_else(|| value(ItemKey::FlagCompilation).map(|it| it != "0"));
}
