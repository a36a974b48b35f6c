//! Rows as a caller may see them.

use std::os::unix::ffi::OsStrExt as _;

use mediagate_policy::Operation;

use super::{Desk, lower_path, names};
use crate::catalog::{Entry, FileKey, Location, MediaFacts};
use crate::control::store::{MediaDetails, MediaItem};
use crate::serve::volumes::Attached;

/// A text of a file is cut to so many bytes.
const TEXT: usize = 4096;

impl Desk<'_> {
    pub(super) fn items(&self, entries: Vec<Entry>) -> Vec<MediaItem> {
        // A volume may have been detached meanwhile.
        entries.into_iter().filter_map(|entry| self.item(entry)).collect()
    }

    fn item(&self, entry: Entry) -> Option<MediaItem> {
        let attached = self.attached(entry.key.volume)?;
        let located = entry.location.filter(|_| self.sees_all(attached, &entry));
        let (display_name, _, _) = names::taken_apart(&entry.key.name);
        let details = entry.media.as_deref().map(|facts| Box::new(details(facts, located)));
        Some(MediaItem {
            id: entry.id,
            volume: attached.config.name.clone(),
            user: entry.key.user,
            path: path(attached, &entry.key),
            relative_path: entry.key.dir.clone(),
            display_name: display_name.to_vec(),
            mime: entry.row.mime.to_string(),
            media_type: entry.row.media_type,
            size: entry.row.size,
            modified_nanos: entry.row.mtime_ns,
            added: entry.added,
            taken_millis: entry.taken_ms,
            title: entry.title.as_deref().map(cut),
            owner: entry.row.owner.as_deref().filter(|it| self.may_know_owner(it)).map(str::to_owned),
            favorite: entry.favorite,
            pending: entry.row.pending,
            trashed: entry.row.trashed,
            expires: entry.row.expires,
            bucket: entry.bucket,
            generation_added: entry.generation_added,
            generation_modified: entry.generation_modified,
            details,
        })
    }

    /// Whether the caller's view of the file is the original: then it may know where it was made.
    fn sees_all(&self, attached: &Attached, entry: &Entry) -> bool {
        let Some(subject) = Self::subject(attached, &entry.key, Some(Self::facts(entry))) else {
            return false;
        };
        let view = self.shared.access.check(&self.who, &subject, Operation::Lookup);
        view.is_ok_and(|grant| !grant.redact)
    }
}

/// Absolute path.
pub(super) fn path(attached: &Attached, key: &FileKey) -> Vec<u8> {
    let below = lower_path(attached, key.user, &key.dir, &key.name);
    [attached.config.mount.as_os_str().as_bytes(), b"/", &below].concat()
}

fn details(facts: &MediaFacts, location: Option<Location>) -> MediaDetails {
    let (audio, video) = (facts.audio.as_deref(), facts.video.as_deref());
    let (image, xmp) = (facts.image.as_deref(), facts.xmp.as_deref());
    let text = |text: Option<&String>| text.map(|it| cut(it));
    let color = |color: Option<u8>| color.map_or(0, u32::from);
    MediaDetails {
        width: facts.width.unwrap_or(0),
        height: facts.height.unwrap_or(0),
        orientation: facts.orientation.map_or(0, u32::from),
        duration_millis: facts.duration_ms.unwrap_or(0),
        bitrate: facts.bitrate.unwrap_or(0),
        artist: text(audio.and_then(|it| it.artist.as_ref())),
        album: text(audio.and_then(|it| it.album.as_ref())),
        album_artist: text(audio.and_then(|it| it.album_artist.as_ref())),
        composer: text(audio.and_then(|it| it.composer.as_ref())),
        genre: text(audio.and_then(|it| it.genre.as_ref())),
        track: audio.and_then(|it| it.track).unwrap_or(0),
        disc: audio.and_then(|it| it.disc).unwrap_or(0),
        tracks: audio.and_then(|it| it.tracks).unwrap_or(0),
        year: audio.and_then(|it| it.year).unwrap_or(0),
        compilation: audio.and_then(|it| it.compilation).unwrap_or(false),
        sample_rate: audio.and_then(|it| it.sample_rate).unwrap_or(0),
        bits_per_sample: audio.and_then(|it| it.bits_per_sample).map_or(0, u32::from),
        album_art: audio.is_some_and(|it| it.has_album_art),
        codec: text(video.and_then(|it| it.codec.as_ref())),
        frame_rate_milli: video.and_then(|it| it.frame_rate_milli).unwrap_or(0),
        color_standard: color(video.and_then(|it| it.color_standard)),
        color_transfer: color(video.and_then(|it| it.color_transfer)),
        color_range: color(video.and_then(|it| it.color_range)),
        exposure_time: text(image.and_then(|it| it.exposure_time.as_ref())),
        f_number: text(image.and_then(|it| it.f_number.as_ref())),
        iso: image.and_then(|it| it.iso).unwrap_or(0),
        scene_capture_type: image.and_then(|it| it.scene_capture_type).map_or(0, u32::from),
        description: text(image.and_then(|it| it.description.as_ref())),
        special_format: image.and_then(|it| it.special_format).map_or(0, |it| it as u32),
        xmp_document: text(xmp.and_then(|it| it.document.as_ref())),
        xmp_instance: text(xmp.and_then(|it| it.instance.as_ref())),
        xmp_original: text(xmp.and_then(|it| it.original_document.as_ref())),
        location_e7: location.map(|it| (it.latitude_e7, it.longitude_e7)),
    }
}

fn cut(text: &str) -> String {
    let end = (0..=text.len().min(TEXT)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default().to_owned()
}

/// A name cut as a text is.
pub(super) fn cut_bytes(mut name: Vec<u8>) -> Vec<u8> {
    name.truncate(TEXT);
    name
}

/// About how many bytes of an answer an item takes.
pub(super) fn size(item: &MediaItem) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(4, |it| 2 * it.len() + 8);
    let names = item.path.len() + item.relative_path.len() + item.display_name.len();
    let texts = 2 * (item.volume.len() + item.mime.len()) + text(&item.title) + text(&item.owner);
    let details = item.details.as_deref().map_or(0, |it| {
        let texts = [
            &it.artist,
            &it.album,
            &it.album_artist,
            &it.composer,
            &it.genre,
            &it.codec,
            &it.exposure_time,
            &it.f_number,
            &it.description,
            &it.xmp_document,
            &it.xmp_instance,
            &it.xmp_original,
        ];
        160 + texts.into_iter().map(text).sum::<usize>()
    });
    160 + names + texts + details
}
