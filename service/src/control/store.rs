//! The store: what apps and administrators may ask about files of the index, and have done to them, by id.
//!
//! Every call says who it is for. What that caller sees, and what it may do, is for the implementation to decide by the
//! rules of the policy.

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::ControlError;

/// Ids in one call at most.
pub const MOST_IDS: usize = 20_000;

/// Who a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreCaller {
    /// Its uid.
    pub uid: u32,
    /// Whether it is an administrator.
    pub admin: bool,
}

/// Which of two kinds of files is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// Not those.
    #[default]
    Exclude,
    /// Those, too.
    Include,
    /// Only those.
    Only,
}

/// In what order files are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MediaSort {
    /// By name.
    #[default]
    Name,
    /// By when they were taken, or else modified.
    Taken,
    /// By modification.
    Modified,
    /// By when they were first indexed.
    Added,
    /// By size.
    Size,
    /// By title.
    Title,
    /// By the generation of the last change.
    Generation,
}

/// What files are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaGrouping {
    /// Their directories.
    Bucket,
    /// Their albums.
    Album,
    /// Their artists.
    Artist,
    /// Their genres.
    Genre,
}

/// Which files, in what order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaQuery {
    /// On this volume.
    pub volume: Option<String>,
    /// In this user's tree of emulated volumes; in the caller's (root: in all) without.
    pub user: Option<u32>,
    /// In this directory, from the user's root.
    pub directory: Option<Vec<u8>>,
    /// And below it.
    pub tree: bool,
    /// In the directory of this bucket id; 0: anywhere.
    pub bucket: i64,
    /// Of these media types (MediaStore's numbers); empty: all.
    pub types: Vec<u8>,
    /// Whose MIME type begins with this.
    pub mime_prefix: Option<String>,
    /// Owned by this package.
    pub owner: Option<String>,
    /// Favourites.
    pub favorite: Which,
    /// Files that are not published yet.
    pub pending: Which,
    /// Files in the trash.
    pub trashed: Which,
    /// These only.
    pub ids: Option<Vec<i64>>,
    /// Changed after this generation; 0: whenever.
    pub changed_since: i64,
    /// Taken (or else modified) in this time, in milliseconds since 1970.
    pub taken_millis: Option<Range<i64>>,
    /// Modified in this time, in nanoseconds since 1970.
    pub modified_nanos: Option<Range<i64>>,
    /// Whose name contains this.
    pub name_contains: Option<Vec<u8>>,
    /// On this album.
    pub album: Option<String>,
    /// By this artist.
    pub artist: Option<String>,
    /// Of this genre.
    pub genre: Option<String>,
    /// In what order.
    pub sort: MediaSort,
    /// The largest first.
    pub descending: bool,
    /// So many at most in one answer; 0: as many as fit.
    pub limit: u32,
    /// Behind this place.
    pub after: Option<Vec<u8>>,
    /// With what the files say of themselves.
    pub details: bool,
}

impl Default for MediaQuery {
    fn default() -> MediaQuery {
        MediaQuery {
            volume: None,
            user: None,
            directory: None,
            tree: false,
            bucket: 0,
            types: Vec::new(),
            mime_prefix: None,
            owner: None,
            favorite: Which::Include,
            pending: Which::Exclude,
            trashed: Which::Exclude,
            ids: None,
            changed_since: 0,
            taken_millis: None,
            modified_nanos: None,
            name_contains: None,
            album: None,
            artist: None,
            genre: None,
            sort: MediaSort::Name,
            descending: false,
            limit: 0,
            after: None,
            details: false,
        }
    }
}

/// What a media file says of itself; 0 and `None` where it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each is what MediaDetails.aidl says of it")]
pub struct MediaDetails {
    pub width: u32,
    pub height: u32,
    pub orientation: u32,
    pub duration_millis: u64,
    pub bitrate: u32,
    pub artist: Option<String>,
    pub album: Option<String>,
    pub album_artist: Option<String>,
    pub composer: Option<String>,
    pub genre: Option<String>,
    pub track: u32,
    pub disc: u32,
    pub tracks: u32,
    pub year: i32,
    pub compilation: bool,
    pub sample_rate: u32,
    pub bits_per_sample: u32,
    pub album_art: bool,
    pub codec: Option<String>,
    pub frame_rate_milli: u32,
    pub color_standard: u32,
    pub color_transfer: u32,
    pub color_range: u32,
    pub exposure_time: Option<String>,
    pub f_number: Option<String>,
    pub iso: u32,
    pub scene_capture_type: u32,
    pub description: Option<String>,
    pub special_format: u32,
    pub xmp_document: Option<String>,
    pub xmp_instance: Option<String>,
    pub xmp_original: Option<String>,
    /// Degrees north and east, times ten million; for who sees the file as it is.
    pub location_e7: Option<(i32, i32)>,
}

/// A file of the index, as a caller may see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaItem {
    /// Its id.
    pub id: i64,
    /// Name of its volume.
    pub volume: String,
    /// The user whose tree it is in.
    pub user: u32,
    /// Absolute path, as bytes.
    pub path: Vec<u8>,
    /// Its directory from the user's root, as bytes.
    pub relative_path: Vec<u8>,
    /// Its name, without what says that it is pending or in the trash.
    pub display_name: Vec<u8>,
    /// MIME type.
    pub mime: String,
    /// Media type (MediaStore's number).
    pub media_type: u8,
    /// Size in bytes.
    pub size: u64,
    /// Modification, in nanoseconds since 1970.
    pub modified_nanos: i64,
    /// When it was first indexed, in seconds since 1970.
    pub added: i64,
    /// When it was taken, in milliseconds since 1970, if it tells.
    pub taken_millis: Option<i64>,
    /// Title, if it tells.
    pub title: Option<String>,
    /// The package that owns it, if the caller may know.
    pub owner: Option<String>,
    /// A favourite.
    pub favorite: bool,
    /// Not published yet.
    pub pending: bool,
    /// In the trash.
    pub trashed: bool,
    /// When it will be removed, in seconds since 1970.
    pub expires: Option<i64>,
    /// Id of its directory.
    pub bucket: i64,
    /// The generation that added it.
    pub generation_added: i64,
    /// The generation that changed it last.
    pub generation_modified: i64,
    /// What it says of itself, if that was asked for.
    pub details: Option<Box<MediaDetails>>,
}

/// A page of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaPage {
    /// The files.
    pub items: Vec<MediaItem>,
    /// Where the next page begins.
    pub next: Option<Vec<u8>>,
}

/// Files that have something in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaGroup {
    /// Id of the directory, or 0.
    pub bucket: i64,
    /// What they have in common.
    pub name: Vec<u8>,
    /// How many they are.
    pub count: u64,
    /// When the newest was taken, or else modified, in milliseconds since 1970.
    pub newest_millis: i64,
    /// Id of the newest.
    pub newest: i64,
}

/// A file to make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InsertSpec {
    /// On this volume; else on the first emulated one.
    pub volume: Option<String>,
    /// In this user's tree; else in the caller's.
    pub user: Option<u32>,
    /// In this directory; else in the one for its type.
    pub relative_path: Option<Vec<u8>>,
    /// By this name.
    pub display_name: Option<Vec<u8>>,
    /// Of this MIME type; else of that of its name.
    pub mime: Option<String>,
    /// Not published yet.
    pub pending: bool,
}

/// A file that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    /// Its id.
    pub id: i64,
    /// Absolute path, as bytes.
    pub path: Vec<u8>,
    /// Its name.
    pub display_name: Vec<u8>,
    /// Its MIME type.
    pub mime: String,
}

/// Changes to files; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaChanges {
    /// A new name.
    pub display_name: Option<Vec<u8>>,
    /// Another directory.
    pub relative_path: Option<Vec<u8>>,
    /// Not published yet, or so.
    pub pending: Option<bool>,
    /// In the trash, or not.
    pub trashed: Option<bool>,
    /// A favourite, or not.
    pub favorite: Option<bool>,
}

/// What became of one of many files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaResult {
    /// Done.
    Done,
    /// There is no such file for the caller.
    NotFound,
    /// No free name was found.
    AlreadyExists,
    /// That makes no sense of this file.
    Invalid,
    /// The service tried and failed.
    Failed,
    /// The caller may not do that.
    Denied,
}

/// How a file is to be opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenMode {
    /// For writing, too.
    pub write: bool,
    /// Emptied.
    pub truncate: bool,
    /// Writes go to the end.
    pub append: bool,
}

/// A page of what changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaHistory {
    /// Files that were added or changed.
    pub items: Vec<MediaItem>,
    /// Pictures and videos that are gone.
    pub gone: Vec<i64>,
    /// What to ask for next time.
    pub generation: i64,
    /// Where the next page begins.
    pub next: Option<Vec<u8>>,
    /// What was asked for reaches back too far.
    pub start_over: bool,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// It came.
    Added,
    /// It changed.
    Changed,
    /// It went.
    Removed,
    /// Anything may have happened on the volume.
    Many,
}

/// A change that an observer is told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeNotice {
    /// What happened.
    pub kind: NoticeKind,
    /// Name of the volume; empty: any.
    pub volume: String,
    /// Id of the file; 0 for many.
    pub id: i64,
    /// The generation of the change.
    pub generation: i64,
}

/// What an observer hears: changes, and how many were left out.
pub type Told = (Vec<ChangeNotice>, u64);

/// What is rung when something waits for an observer, or its place is closed. Does not wait.
pub type Bell = Arc<dyn Fn() + Send + Sync>;

/// What is found in an observer's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Changes.
    Told(Told),
    /// None came while it was waited.
    Nothing,
    /// None will ever come.
    Closed,
}

/// One observer's place: what waits for it.
pub trait Observation: Send + Sync {
    /// Waits for changes for at most so long and takes them.
    fn take(&self, patience: Duration) -> Taken;
    /// Takes back what could not be told: it is told in more general terms the next time. Rings no bell.
    fn give_back(&self, told: Told);
    /// Nobody will ask any more: ends what waits.
    fn close(&self);
}

/// The store as its clients see it.
pub trait Store: Send + Sync {
    /// A page of the files that are asked for.
    fn query(&self, caller: StoreCaller, query: &MediaQuery) -> Result<MediaPage, ControlError>;
    /// How many files are asked for.
    fn count(&self, caller: StoreCaller, query: &MediaQuery) -> Result<u64, ControlError>;
    /// The files that are asked for by what they have in common, behind the first `skip` groups.
    fn groups(
        &self,
        caller: StoreCaller,
        query: &MediaQuery,
        by: MediaGrouping,
        skip: usize,
    ) -> Result<Vec<MediaGroup>, ControlError>;
    /// Makes a file.
    fn insert(&self, caller: StoreCaller, spec: &InsertSpec) -> Result<Inserted, ControlError>;
    /// Changes files; one result for each id.
    fn update(
        &self,
        caller: StoreCaller,
        ids: &[i64],
        changes: &MediaChanges,
    ) -> Result<Vec<MediaResult>, ControlError>;
    /// Removes files; one result for each id.
    fn remove(&self, caller: StoreCaller, ids: &[i64]) -> Result<Vec<MediaResult>, ControlError>;
    /// Opens a file.
    fn open_file(&self, caller: StoreCaller, id: i64, mode: OpenMode) -> Result<OwnedFd, ControlError>;
    /// The files that a playlist names and the caller may see, behind a place.
    fn playlist(&self, caller: StoreCaller, id: i64, after: Option<&[u8]>)
    -> Result<MediaPage, ControlError>;
    /// Files of the query that changed after generation `since`.
    fn changes(
        &self,
        caller: StoreCaller,
        query: &MediaQuery,
        since: i64,
    ) -> Result<MediaHistory, ControlError>;
    /// The generation of the last change, and the number of the index.
    fn version(&self) -> Result<(i64, i64), ControlError>;
    /// Begins to observe the files that the query finds, for who has `bell`.
    fn observe(
        self: Arc<Self>,
        caller: StoreCaller,
        query: &MediaQuery,
        bell: Bell,
    ) -> Result<Arc<dyn Observation>, ControlError>;
}
