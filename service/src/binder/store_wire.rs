//! The store between the AIDL types and those of [`crate::control::store`], for both ends.
//!
//! Numbers that a caller sends are checked; those in answers are as large as they can be where they do not fit.

use std::ops::Range;

use mediagate_aidl as aidl;

use super::field::{name, unsigned};
use crate::control::ControlError;
use crate::control::store::{
    ChangeNotice, InsertSpec, Inserted, MOST_IDS, MediaChanges, MediaDetails, MediaGroup, MediaGrouping,
    MediaHistory, MediaItem, MediaPage, MediaQuery, MediaResult, MediaSort, NoticeKind, OpenMode, Told,
    Which,
};

type Result<T> = std::result::Result<T, ControlError>;

/// Longest path, name or cursor taken.
const BYTES_MAX: usize = 4096;

const MATCHES: [(Which, aidl::MediaMatch); 3] = [
    (Which::Exclude, aidl::MediaMatch::EXCLUDE),
    (Which::Include, aidl::MediaMatch::INCLUDE),
    (Which::Only, aidl::MediaMatch::ONLY),
];

const SORTS: [(MediaSort, aidl::MediaSort); 7] = [
    (MediaSort::Name, aidl::MediaSort::NAME),
    (MediaSort::Taken, aidl::MediaSort::TAKEN),
    (MediaSort::Modified, aidl::MediaSort::MODIFIED),
    (MediaSort::Added, aidl::MediaSort::ADDED),
    (MediaSort::Size, aidl::MediaSort::SIZE),
    (MediaSort::Title, aidl::MediaSort::TITLE),
    (MediaSort::Generation, aidl::MediaSort::GENERATION),
];

const GROUPINGS: [(MediaGrouping, aidl::MediaGrouping); 4] = [
    (MediaGrouping::Bucket, aidl::MediaGrouping::BUCKET),
    (MediaGrouping::Album, aidl::MediaGrouping::ALBUM),
    (MediaGrouping::Artist, aidl::MediaGrouping::ARTIST),
    (MediaGrouping::Genre, aidl::MediaGrouping::GENRE),
];

const RESULTS: [(MediaResult, aidl::MediaResult); 6] = [
    (MediaResult::Done, aidl::MediaResult::DONE),
    (MediaResult::NotFound, aidl::MediaResult::NOT_FOUND),
    (MediaResult::AlreadyExists, aidl::MediaResult::ALREADY_EXISTS),
    (MediaResult::Invalid, aidl::MediaResult::INVALID),
    (MediaResult::Failed, aidl::MediaResult::FAILED),
    (MediaResult::Denied, aidl::MediaResult::DENIED),
];

const NOTICES: [(NoticeKind, aidl::ChangeKind); 4] = [
    (NoticeKind::Added, aidl::ChangeKind::ADDED),
    (NoticeKind::Changed, aidl::ChangeKind::CHANGED),
    (NoticeKind::Removed, aidl::ChangeKind::REMOVED),
    (NoticeKind::Many, aidl::ChangeKind::MANY),
];

const MODES: [(&str, OpenMode); 6] = [
    ("r", OpenMode { write: false, truncate: false, append: false }),
    ("w", OpenMode { write: true, truncate: false, append: false }),
    ("rw", OpenMode { write: true, truncate: false, append: false }),
    ("wt", OpenMode { write: true, truncate: true, append: false }),
    ("rwt", OpenMode { write: true, truncate: true, append: false }),
    ("wa", OpenMode { write: true, truncate: false, append: true }),
];

/// Ours for one on the wire.
fn ours<A: Copy, B: PartialEq>(what: &str, table: &[(A, B)], wire: B) -> Result<A> {
    let found = table.iter().find(|(_, it)| *it == wire).map(|(it, _)| *it);
    found.ok_or_else(|| ControlError::Invalid(format!("the {what} is none that this version knows")))
}

/// The one on the wire for ours; every table has all of ours.
fn wire<A: PartialEq, B: Copy + Default>(table: &[(A, B)], ours: &A) -> B {
    table.iter().find(|(it, _)| it == ours).map(|(_, it)| *it).unwrap_or_default()
}

pub(super) fn mode(text: &str) -> Result<OpenMode> {
    MODES.iter().find(|(word, _)| *word == text).map(|(_, mode)| *mode).ok_or_else(|| {
        ControlError::Invalid("there is no such mode; it is one of r, w, wt, wa, rw, rwt".to_owned())
    })
}

pub(super) fn mode_word(mode: OpenMode) -> &'static str {
    MODES.iter().find(|(_, it)| *it == mode).map_or("r", |(word, _)| word)
}

pub(super) fn grouping(by: aidl::MediaGrouping) -> Result<MediaGrouping> {
    ours("grouping", &GROUPINGS, by)
}

pub(super) fn grouping_to_wire(by: MediaGrouping) -> aidl::MediaGrouping {
    wire(&GROUPINGS, &by)
}

pub(super) fn ids(ids: &[i64]) -> Result<&[i64]> {
    match ids.len() {
        0..=MOST_IDS => Ok(ids),
        _ => Err(ControlError::Invalid(format!("more than {MOST_IDS} ids in one call; make several"))),
    }
}

fn user(user: i32) -> Result<Option<u32>> {
    if user == -1 { Ok(None) } else { unsigned("user", user).map(Some) }
}

fn user_to_wire(user: Option<u32>) -> Result<i32> {
    user.map_or(Ok(-1), super::field::user_to_wire)
}

fn some_name(what: &str, text: Option<&String>) -> Result<Option<String>> {
    text.map(|it| Ok(name(what, it)?.to_owned())).transpose()
}

fn some_bytes(what: &str, bytes: Option<&Vec<u8>>) -> Result<Option<Vec<u8>>> {
    match bytes {
        Some(bytes) if bytes.len() > BYTES_MAX => {
            Err(ControlError::Invalid(format!("the {what} is longer than {BYTES_MAX} bytes")))
        }
        Some(bytes) if bytes.contains(&0) && what != "cursor" => {
            Err(ControlError::Invalid(format!("the {what} must not contain NUL bytes")))
        }
        bytes => Ok(bytes.cloned()),
    }
}

fn tag(what: &str, text: Option<&String>) -> Result<Option<String>> {
    match text {
        Some(text) if text.len() > BYTES_MAX => {
            Err(ControlError::Invalid(format!("the {what} is longer than {BYTES_MAX} bytes")))
        }
        text => Ok(text.cloned()),
    }
}

fn range(range: Option<&aidl::MediaRange>) -> Option<Range<i64>> {
    range.map(|it| it.first..it.end)
}

fn range_to_wire(range: Option<&Range<i64>>) -> Option<aidl::MediaRange> {
    range.map(|it| aidl::MediaRange { first: it.start, end: it.end })
}

pub(super) fn query_from_wire(query: &aidl::MediaQuery) -> Result<MediaQuery> {
    let types = query.types.iter().map(|it| {
        u8::try_from(it.0).map_err(|_| ControlError::Invalid("there is no such media type".to_owned()))
    });
    if query.types.len() > 16 {
        return Err(ControlError::Invalid("there are not so many media types".to_owned()));
    }
    Ok(MediaQuery {
        volume: some_name("volume's name", query.volume.as_ref())?,
        user: user(query.user)?,
        directory: some_bytes("directory", query.directory.as_ref())?,
        tree: query.tree,
        bucket: query.bucket,
        types: types.collect::<Result<_>>()?,
        mime_prefix: tag("MIME type", query.mimePrefix.as_ref())?,
        owner: some_name("owner", query.owner.as_ref())?,
        favorite: ours("match of favourites", &MATCHES, query.favorite)?,
        pending: ours("match of pending files", &MATCHES, query.pending)?,
        trashed: ours("match of the trash", &MATCHES, query.trashed)?,
        ids: query.ids.as_deref().map(ids).transpose()?.map(<[i64]>::to_vec),
        changed_since: query.changedSince,
        taken_millis: range(query.takenMillis.as_ref()),
        modified_nanos: range(query.modifiedNanos.as_ref()),
        name_contains: some_bytes("part of a name", query.nameContains.as_ref())?,
        album: tag("album", query.album.as_ref())?,
        artist: tag("artist", query.artist.as_ref())?,
        genre: tag("genre", query.genre.as_ref())?,
        sort: ours("order", &SORTS, query.sort)?,
        descending: query.descending,
        limit: unsigned("limit", query.limit)?,
        after: some_bytes("cursor", query.after.as_ref())?,
        details: query.details,
    })
}

pub(super) fn query_to_wire(query: &MediaQuery) -> Result<aidl::MediaQuery> {
    Ok(aidl::MediaQuery {
        volume: query.volume.clone(),
        user: user_to_wire(query.user)?,
        directory: query.directory.clone(),
        tree: query.tree,
        bucket: query.bucket,
        types: query.types.iter().map(|it| aidl::MediaType(i32::from(*it))).collect(),
        mimePrefix: query.mime_prefix.clone(),
        owner: query.owner.clone(),
        favorite: wire(&MATCHES, &query.favorite),
        pending: wire(&MATCHES, &query.pending),
        trashed: wire(&MATCHES, &query.trashed),
        ids: query.ids.clone(),
        changedSince: query.changed_since,
        takenMillis: range_to_wire(query.taken_millis.as_ref()),
        modifiedNanos: range_to_wire(query.modified_nanos.as_ref()),
        nameContains: query.name_contains.clone(),
        album: query.album.clone(),
        artist: query.artist.clone(),
        genre: query.genre.clone(),
        sort: wire(&SORTS, &query.sort),
        descending: query.descending,
        limit: i32::try_from(query.limit).unwrap_or(i32::MAX),
        after: query.after.clone(),
        details: query.details,
    })
}

fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn nat(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn long(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn long_nat(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn details_to_wire(it: MediaDetails) -> aidl::MediaDetails {
    let location =
        it.location_e7.map(|(north, east)| aidl::MediaLocation { latitudeE7: north, longitudeE7: east });
    aidl::MediaDetails {
        durationMillis: long(it.duration_millis),
        year: it.year,
        compilation: it.compilation,
        albumArt: it.album_art,
        location,
        width: int(it.width),
        height: int(it.height),
        orientation: int(it.orientation),
        bitrate: int(it.bitrate),
        track: int(it.track),
        disc: int(it.disc),
        tracks: int(it.tracks),
        sampleRate: int(it.sample_rate),
        bitsPerSample: int(it.bits_per_sample),
        frameRateMilli: int(it.frame_rate_milli),
        colorStandard: int(it.color_standard),
        colorTransfer: int(it.color_transfer),
        colorRange: int(it.color_range),
        iso: int(it.iso),
        sceneCaptureType: int(it.scene_capture_type),
        specialFormat: int(it.special_format),
        artist: it.artist,
        album: it.album,
        albumArtist: it.album_artist,
        composer: it.composer,
        genre: it.genre,
        codec: it.codec,
        exposureTime: it.exposure_time,
        fNumber: it.f_number,
        description: it.description,
        xmpDocument: it.xmp_document,
        xmpInstance: it.xmp_instance,
        xmpOriginal: it.xmp_original,
    }
}

fn details_from_wire(it: aidl::MediaDetails) -> MediaDetails {
    MediaDetails {
        duration_millis: long_nat(it.durationMillis),
        year: it.year,
        compilation: it.compilation,
        album_art: it.albumArt,
        location_e7: it.location.map(|it| (it.latitudeE7, it.longitudeE7)),
        width: nat(it.width),
        height: nat(it.height),
        orientation: nat(it.orientation),
        bitrate: nat(it.bitrate),
        track: nat(it.track),
        disc: nat(it.disc),
        tracks: nat(it.tracks),
        sample_rate: nat(it.sampleRate),
        bits_per_sample: nat(it.bitsPerSample),
        frame_rate_milli: nat(it.frameRateMilli),
        color_standard: nat(it.colorStandard),
        color_transfer: nat(it.colorTransfer),
        color_range: nat(it.colorRange),
        iso: nat(it.iso),
        scene_capture_type: nat(it.sceneCaptureType),
        special_format: nat(it.specialFormat),
        artist: it.artist,
        album: it.album,
        album_artist: it.albumArtist,
        composer: it.composer,
        genre: it.genre,
        codec: it.codec,
        exposure_time: it.exposureTime,
        f_number: it.fNumber,
        description: it.description,
        xmp_document: it.xmpDocument,
        xmp_instance: it.xmpInstance,
        xmp_original: it.xmpOriginal,
    }
}

fn item_to_wire(item: MediaItem) -> aidl::MediaItem {
    aidl::MediaItem {
        id: item.id,
        volume: item.volume,
        user: int(item.user),
        path: item.path,
        relativePath: item.relative_path,
        displayName: item.display_name,
        mimeType: item.mime,
        mediaType: aidl::MediaType(i32::from(item.media_type)),
        size: long(item.size),
        modifiedNanos: item.modified_nanos,
        added: item.added,
        takenMillis: item.taken_millis.unwrap_or(0),
        title: item.title,
        owner: item.owner,
        favorite: item.favorite,
        pending: item.pending,
        trashed: item.trashed,
        expires: item.expires.unwrap_or(0),
        bucket: item.bucket,
        generationAdded: item.generation_added,
        generationModified: item.generation_modified,
        details: item.details.map(|it| details_to_wire(*it)),
    }
}

fn item_from_wire(item: aidl::MediaItem) -> MediaItem {
    MediaItem {
        id: item.id,
        volume: item.volume,
        user: nat(item.user),
        path: item.path,
        relative_path: item.relativePath,
        display_name: item.displayName,
        mime: item.mimeType,
        media_type: u8::try_from(item.mediaType.0).unwrap_or(0),
        size: long_nat(item.size),
        modified_nanos: item.modifiedNanos,
        added: item.added,
        taken_millis: Some(item.takenMillis).filter(|it| *it != 0),
        title: item.title,
        owner: item.owner,
        favorite: item.favorite,
        pending: item.pending,
        trashed: item.trashed,
        expires: Some(item.expires).filter(|it| *it != 0),
        bucket: item.bucket,
        generation_added: item.generationAdded,
        generation_modified: item.generationModified,
        details: item.details.map(|it| Box::new(details_from_wire(it))),
    }
}

pub(super) fn page_to_wire(page: MediaPage) -> aidl::MediaPage {
    aidl::MediaPage { items: page.items.into_iter().map(item_to_wire).collect(), next: page.next }
}

pub(super) fn page_from_wire(page: aidl::MediaPage) -> MediaPage {
    MediaPage { items: page.items.into_iter().map(item_from_wire).collect(), next: page.next }
}

pub(super) fn group_to_wire(group: MediaGroup) -> aidl::MediaGroup {
    aidl::MediaGroup {
        bucket: group.bucket,
        name: group.name,
        count: long(group.count),
        newestMillis: group.newest_millis,
        newest: group.newest,
    }
}

pub(super) fn group_from_wire(group: aidl::MediaGroup) -> MediaGroup {
    MediaGroup {
        bucket: group.bucket,
        name: group.name,
        count: long_nat(group.count),
        newest_millis: group.newestMillis,
        newest: group.newest,
    }
}

pub(super) fn insert_from_wire(spec: &aidl::InsertSpec) -> Result<InsertSpec> {
    Ok(InsertSpec {
        volume: some_name("volume's name", spec.volume.as_ref())?,
        user: user(spec.user)?,
        relative_path: some_bytes("directory", spec.relativePath.as_ref())?,
        display_name: some_bytes("name", spec.displayName.as_ref())?,
        mime: some_name("MIME type", spec.mimeType.as_ref())?,
        pending: spec.pending,
    })
}

pub(super) fn insert_to_wire(spec: &InsertSpec) -> Result<aidl::InsertSpec> {
    Ok(aidl::InsertSpec {
        volume: spec.volume.clone(),
        user: user_to_wire(spec.user)?,
        relativePath: spec.relative_path.clone(),
        displayName: spec.display_name.clone(),
        mimeType: spec.mime.clone(),
        pending: spec.pending,
    })
}

pub(super) fn inserted_to_wire(made: Inserted) -> aidl::Inserted {
    aidl::Inserted { id: made.id, path: made.path, displayName: made.display_name, mimeType: made.mime }
}

pub(super) fn inserted_from_wire(made: aidl::Inserted) -> Inserted {
    Inserted { id: made.id, path: made.path, display_name: made.displayName, mime: made.mimeType }
}

const STATES: [(Option<bool>, aidl::TriState); 3] = [
    (None, aidl::TriState::UNSPECIFIED),
    (Some(false), aidl::TriState::NO),
    (Some(true), aidl::TriState::YES),
];

pub(super) fn changes_from_wire(changes: &aidl::MediaChanges) -> Result<MediaChanges> {
    Ok(MediaChanges {
        display_name: some_bytes("name", changes.displayName.as_ref())?,
        relative_path: some_bytes("directory", changes.relativePath.as_ref())?,
        pending: ours("state", &STATES, changes.pending)?,
        trashed: ours("state", &STATES, changes.trashed)?,
        favorite: ours("state", &STATES, changes.favorite)?,
    })
}

pub(super) fn changes_to_wire(changes: &MediaChanges) -> aidl::MediaChanges {
    aidl::MediaChanges {
        displayName: changes.display_name.clone(),
        relativePath: changes.relative_path.clone(),
        pending: wire(&STATES, &changes.pending),
        trashed: wire(&STATES, &changes.trashed),
        favorite: wire(&STATES, &changes.favorite),
    }
}

pub(super) fn result_to_wire(result: MediaResult) -> aidl::MediaResult {
    wire(&RESULTS, &result)
}

pub(super) fn result_from_wire(result: aidl::MediaResult) -> Result<MediaResult> {
    ours("result", &RESULTS, result)
}

pub(super) fn history_to_wire(history: MediaHistory) -> aidl::MediaHistory {
    aidl::MediaHistory {
        items: history.items.into_iter().map(item_to_wire).collect(),
        gone: history.gone,
        generation: history.generation,
        next: history.next,
        startOver: history.start_over,
    }
}

pub(super) fn history_from_wire(history: aidl::MediaHistory) -> MediaHistory {
    MediaHistory {
        items: history.items.into_iter().map(item_from_wire).collect(),
        gone: history.gone,
        generation: history.generation,
        next: history.next,
        start_over: history.startOver,
    }
}

pub(super) fn batch_to_wire((notices, missed): Told) -> aidl::ChangeBatch {
    aidl::ChangeBatch { changes: notices.into_iter().map(notice_to_wire).collect(), missed: long(missed) }
}

pub(super) fn batch_from_wire(changes: &[aidl::ChangeNotice], missed: i64) -> Result<Told> {
    Ok((changes.iter().map(notice_from_wire).collect::<Result<_>>()?, long_nat(missed)))
}

fn notice_to_wire(notice: ChangeNotice) -> aidl::ChangeNotice {
    aidl::ChangeNotice {
        kind: wire(&NOTICES, &notice.kind),
        volume: notice.volume,
        id: notice.id,
        generation: notice.generation,
    }
}

fn notice_from_wire(notice: &aidl::ChangeNotice) -> Result<ChangeNotice> {
    Ok(ChangeNotice {
        kind: ours("change", &NOTICES, notice.kind)?,
        volume: notice.volume.clone(),
        id: notice.id,
        generation: notice.generation,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_enumerator_has_its_own() {
        assert_eq!(MATCHES.len(), aidl::MediaMatch::enum_values().len());
        assert_eq!(SORTS.len(), aidl::MediaSort::enum_values().len());
        assert_eq!(GROUPINGS.len(), aidl::MediaGrouping::enum_values().len());
        assert_eq!(RESULTS.len(), aidl::MediaResult::enum_values().len());
        assert_eq!(NOTICES.len(), aidl::ChangeKind::enum_values().len());
        assert_eq!(STATES.len(), aidl::TriState::enum_values().len());
    }

    #[test]
    fn queries_survive_the_wire() {
        let query = MediaQuery {
            volume: Some("v".to_owned()),
            user: Some(10),
            directory: Some(b"DCIM/\xff".to_vec()),
            tree: true,
            types: vec![1, 3],
            ids: Some(vec![7]),
            taken_millis: Some(-5..9),
            sort: MediaSort::Taken,
            trashed: Which::Only,
            limit: 3,
            after: Some(vec![0, 1]),
            details: true,
            ..MediaQuery::default()
        };
        assert_eq!(query_from_wire(&query_to_wire(&query).unwrap()).unwrap(), query);
        let default = MediaQuery::default();
        assert_eq!(query_from_wire(&aidl::MediaQuery::default()).unwrap(), default);
    }

    #[test]
    fn hostile_fields_are_refused() {
        let refused = |change: fn(&mut aidl::MediaQuery)| {
            let mut query = aidl::MediaQuery::default();
            change(&mut query);
            assert!(matches!(query_from_wire(&query), Err(ControlError::Invalid(_))));
        };
        refused(|it| it.limit = -1);
        refused(|it| it.user = -2);
        refused(|it| it.types = vec![aidl::MediaType(-1)]);
        refused(|it| it.types = vec![aidl::MediaType::IMAGE; 17]);
        refused(|it| it.sort = aidl::MediaSort(99));
        refused(|it| it.pending = aidl::MediaMatch(-1));
        refused(|it| it.ids = Some(vec![1; MOST_IDS + 1]));
        refused(|it| it.directory = Some(vec![b'x'; BYTES_MAX + 1]));
        refused(|it| it.directory = Some(b"a\0b".to_vec()));
        refused(|it| it.after = Some(vec![0; BYTES_MAX + 1]));
        assert!(mode("x").is_err() && mode("").is_err());
        for (word, it) in MODES {
            assert_eq!(mode(word).unwrap(), it);
            assert_eq!(mode(mode_word(it)).unwrap(), it);
        }
    }
}
