//! What media files say of themselves, and which of them were not asked yet.

use rusqlite::{OptionalExtension, Row, params};

use super::query::{Entry, Projection};
use super::reader::Readers;
use super::rows::{Present, Tx};
use super::write::Write;
use super::{
    At, AudioFacts, Catalog, CatalogError, ImageFacts, Location, MediaFacts, SpecialFormat, VideoFacts,
    VolumeKey, XmpIds, sql,
};

/// Which version of a file was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its size in bytes.
    pub size: u64,
    /// Its modification time in nanoseconds since 1970.
    pub mtime_ns: i64,
}

/// What was found in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFacts {
    /// The file.
    pub file: At,
    /// The lower inode that was read.
    pub ino: u64,
    /// Its version.
    pub stamp: Stamp,
    /// What it says; the default for one that says nothing, or that could not be read.
    pub facts: MediaFacts,
    /// Where it was made.
    pub location: Option<Location>,
}

impl Catalog {
    /// Queues: this was found in the file. Nothing happens where the row is gone, is of another inode or of another
    /// version: who reads the file anew then brings what is true. Facts that say nothing new stamp nothing.
    pub fn set_media_facts(&self, found: FoundFacts) {
        self.queue.post(Write::Facts(Box::new(found)));
    }

    /// Images, sounds, videos and playlists of the volume whose facts are not known for their present version, by id,
    /// behind `after` (0 to begin).
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn unscanned(&self, volume: VolumeKey, after: i64, limit: usize) -> Result<Vec<Entry>, CatalogError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers.entries(sql::FILES_UNSCANNED, params![volume.0, after, limit], Projection::default())
    }
}

impl Tx<'_> {
    pub(super) fn set_facts(&mut self, found: &FoundFacts) -> rusqlite::Result<bool> {
        let id = match &found.file {
            At::Id(id) => Some(*id),
            At::Key(key) => self.look(key)?.map(|(id, _)| id),
        };
        let Some(present) = id.map(|id| self.present(id)).transpose()?.flatten() else { return Ok(false) };
        let row = &present.row;
        let found_version = (found.ino, found.stamp.size, found.stamp.mtime_ns);
        if (row.ino, row.size, row.mtime_ns) != found_version {
            return Ok(false);
        }
        let mime = mime(&row.mime, found.facts.mime.as_deref());
        let known = self.conn.prepare_cached(sql::FACTS_GET)?.query_row([id], facts).optional()?;
        let was_at = self.conn.prepare_cached(sql::LOCATION_GET)?.query_row([id], location).optional()?;
        let clean = cleaned(&found.facts);
        if known.as_ref() != Some(&clean) || was_at != found.location || mime != row.mime {
            self.put_facts(&present, mime, &clean, found.location)?;
        }
        if !present.scanned {
            self.run(sql::FILE_SCANNED, [id])?;
        }
        Ok(true)
    }

    fn put_facts(
        &mut self,
        present: &Present,
        mime: &str,
        facts: &MediaFacts,
        location: Option<Location>,
    ) -> rusqlite::Result<()> {
        let id = present.id;
        let (audio, video) = (facts.audio.as_deref(), facts.video.as_deref());
        let (image, xmp) = (facts.image.as_deref(), facts.xmp.as_deref());
        let values = params![
            id,
            facts.mime,
            facts.width,
            facts.height,
            facts.orientation,
            facts.duration_ms.map(|it| i64::try_from(it).unwrap_or(i64::MAX)),
            facts.bitrate,
            audio.is_some(),
            audio.and_then(|it| it.artist.as_deref()),
            audio.and_then(|it| it.album.as_deref()),
            audio.and_then(|it| it.album_artist.as_deref()),
            audio.and_then(|it| it.composer.as_deref()),
            audio.and_then(|it| it.genre.as_deref()),
            audio.and_then(|it| it.track),
            audio.and_then(|it| it.disc),
            audio.and_then(|it| it.tracks),
            audio.and_then(|it| it.year),
            audio.and_then(|it| it.compilation),
            audio.and_then(|it| it.sample_rate),
            audio.and_then(|it| it.bits_per_sample),
            audio.map(|it| it.has_album_art),
            video.is_some(),
            video.and_then(|it| it.codec.as_deref()),
            video.and_then(|it| it.frame_rate_milli),
            video.and_then(|it| it.color_standard),
            video.and_then(|it| it.color_transfer),
            video.and_then(|it| it.color_range),
            image.is_some(),
            image.and_then(|it| it.exposure_time.as_deref()),
            image.and_then(|it| it.f_number.as_deref()),
            image.and_then(|it| it.iso),
            image.and_then(|it| it.scene_capture_type),
            image.and_then(|it| it.description.as_deref()),
            image.and_then(|it| it.special_format).map(|it| it as u8),
            xmp.is_some(),
            xmp.and_then(|it| it.document.as_deref()),
            xmp.and_then(|it| it.instance.as_deref()),
            xmp.and_then(|it| it.original_document.as_deref())
        ];
        self.run(sql::FACTS_PUT, values)?;
        match location {
            Some(at) => self.run(sql::LOCATION_PUT, params![id, at.latitude_e7, at.longitude_e7])?,
            None => self.run(sql::LOCATION_REMOVE, [id])?,
        };
        let values = params![id, mime, facts.taken_ms, facts.title, self.generation];
        self.stamp(sql::FILE_SET_FACTS, values)?;
        self.tell_changed(present);
        Ok(())
    }
}

/// The MIME type that the contents give, if it is of the kind that the name gives (mediaprovider.md §3.7).
fn mime<'a>(by_name: &'a str, by_contents: Option<&'a str>) -> &'a str {
    let kind = |mime: &'a str| mime.split_once('/').map(|(kind, _)| kind);
    by_contents.filter(|it| kind(it).is_some() && kind(it) == kind(by_name)).unwrap_or(by_name)
}

/// What the table can hold and a sort can compare: no year 0, no zero byte in a title.
fn cleaned(facts: &MediaFacts) -> MediaFacts {
    let mut facts = facts.clone();
    if let Some(audio) = &mut facts.audio {
        audio.year = audio.year.filter(|year| *year != 0);
    }
    facts.duration_ms = facts.duration_ms.map(|it| it.min(i64::MAX.cast_unsigned()));
    facts.title = facts.title.map(|it| it.replace('\0', "")).filter(|it| !it.is_empty());
    facts
}

/// The facts in a row of [`sql::FACTS_GET`].
fn facts(row: &Row<'_>) -> rusqlite::Result<MediaFacts> {
    let audio = match row.get(6)? {
        false => None,
        true => Some(Box::new(AudioFacts {
            artist: row.get(7)?,
            album: row.get(8)?,
            album_artist: row.get(9)?,
            composer: row.get(10)?,
            genre: row.get(11)?,
            track: row.get(12)?,
            disc: row.get(13)?,
            tracks: row.get(14)?,
            year: row.get(15)?,
            compilation: row.get(16)?,
            sample_rate: row.get(17)?,
            bits_per_sample: row.get(18)?,
            has_album_art: row.get::<_, Option<bool>>(19)?.unwrap_or_default(),
        })),
    };
    let video = match row.get(20)? {
        false => None,
        true => Some(Box::new(VideoFacts {
            codec: row.get(21)?,
            frame_rate_milli: row.get(22)?,
            color_standard: row.get(23)?,
            color_transfer: row.get(24)?,
            color_range: row.get(25)?,
        })),
    };
    let image = match row.get(26)? {
        false => None,
        true => Some(Box::new(ImageFacts {
            exposure_time: row.get(27)?,
            f_number: row.get(28)?,
            iso: row.get(29)?,
            scene_capture_type: row.get(30)?,
            description: row.get(31)?,
            special_format: match row.get::<_, Option<u8>>(32)? {
                Some(1) => Some(SpecialFormat::Gif),
                Some(2) => Some(SpecialFormat::MotionPhoto),
                Some(3) => Some(SpecialFormat::AnimatedWebp),
                _ => None,
            },
        })),
    };
    let xmp = match row.get(33)? {
        false => None,
        true => Some(Box::new(XmpIds {
            document: row.get(34)?,
            instance: row.get(35)?,
            original_document: row.get(36)?,
        })),
    };
    Ok(MediaFacts {
        mime: row.get(0)?,
        width: row.get(1)?,
        height: row.get(2)?,
        orientation: row.get(3)?,
        duration_ms: row.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned),
        bitrate: row.get(5)?,
        title: row.get(37)?,
        taken_ms: row.get(38)?,
        audio,
        video,
        image,
        xmp,
    })
}

fn location(row: &Row<'_>) -> rusqlite::Result<Location> {
    Ok(Location { latitude_e7: row.get(0)?, longitude_e7: row.get(1)? })
}

impl Readers {
    /// Adds to an entry what the projection wants of it besides its row.
    pub(super) fn project(
        conn: &rusqlite::Connection,
        entry: &mut Entry,
        projection: Projection,
    ) -> rusqlite::Result<()> {
        if projection.media {
            let found = conn.prepare_cached(sql::FACTS_GET)?.query_row([entry.id], facts).optional()?;
            entry.media = found.map(Box::new);
        }
        if projection.location {
            entry.location =
                conn.prepare_cached(sql::LOCATION_GET)?.query_row([entry.id], location).optional()?;
        }
        Ok(())
    }
}
