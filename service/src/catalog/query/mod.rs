//! Questions to the index: which files, in what order, from where on.
//!
//! A query names the trees it asks about, each with the rule of the policy for what its caller sees there
//! ([`Scope`]): a volume that is not named (because it is detached) has no part in the answer. Everything a caller
//! brings along is bound to a parameter; the text of a statement is this program's alone.
//!
//! Each tree and media type is one *arm*: a walk along an index in the order that is asked for, begun behind the
//! cursor. The arms are merged by the sort key, so that the first rows of a million come without sorting any. What has no
//! index (names and sizes of all files, see `schema`) is sorted, and so are few files of one directory, tree, owner or
//! album in any order. A page is read in one transaction.

pub(super) mod build;
mod cursor;
mod own;
mod run;
mod spelling;
#[cfg(test)]
pub(super) mod testing;

use std::ops::Range;
use std::sync::Arc;

use mediagate_policy::{Filter, MediaTypes};

use super::{At, Catalog, CatalogError, FileKey, FileRow, Location, MediaFacts, VolumeKey};

/// One user's tree on one volume, and what the caller sees in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The volume.
    pub volume: VolumeKey,
    /// The user whose tree it is.
    pub user: u32,
    /// `mediagate_policy::listing_filter` for the tree's root.
    pub visible: Filter,
}

/// Who holds the grants that a [`Scope`]'s filter asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// All packages of the caller.
    pub packages: Vec<Arc<str>>,
    /// The caller's user.
    pub user: u32,
    /// The time, in seconds since 1970: a grant that has ended counts for nothing.
    pub now: i64,
}

/// Which of two kinds of files is wanted (mediaprovider.md §2.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Match {
    /// Not those.
    Exclude,
    /// Those, too.
    #[default]
    Include,
    /// Only those.
    Only,
}

/// Where in the scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Within {
    /// Anywhere.
    #[default]
    Anywhere,
    /// In this directory, from the user's root.
    Directory(Vec<u8>),
    /// In this directory or below it.
    Tree(Vec<u8>),
    /// In the directory of this bucket id ([`Entry::bucket`]).
    Bucket(i64),
}

/// Which files. The default is every one that is published and not in the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criteria {
    /// Where.
    pub within: Within,
    /// Of these media types.
    pub types: MediaTypes,
    /// Whose MIME type begins with this, in any ASCII case (`image/`).
    pub mime_prefix: Option<String>,
    /// Owned by this package.
    pub owner: Option<Arc<str>>,
    /// Favourites.
    pub favorite: Match,
    /// Files that are not published yet.
    pub pending: Match,
    /// Files in the trash.
    pub trashed: Match,
    /// These rows only.
    pub ids: Option<Vec<i64>>,
    /// Stamped later than this generation.
    pub changed_since: Option<i64>,
    /// Taken (or where the file does not tell, modified) in this time, in milliseconds since 1970.
    pub taken_ms: Option<Range<i64>>,
    /// Modified in this time, in nanoseconds since 1970.
    pub modified_ns: Option<Range<i64>>,
    /// Whose name contains this, in any ASCII case.
    pub name_contains: Option<Vec<u8>>,
    /// On this album.
    pub album: Option<String>,
    /// By this artist.
    pub artist: Option<String>,
    /// Of this genre.
    pub genre: Option<String>,
}

impl Default for Criteria {
    fn default() -> Criteria {
        Criteria {
            within: Within::Anywhere,
            types: MediaTypes::ALL,
            mime_prefix: None,
            owner: None,
            favorite: Match::Include,
            pending: Match::Exclude,
            trashed: Match::Exclude,
            ids: None,
            changed_since: None,
            taken_ms: None,
            modified_ns: None,
            name_contains: None,
            album: None,
            artist: None,
            genre: None,
        }
    }
}

/// In what order. Files that are equal in it come by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// By name, byte by byte.
    #[default]
    Name,
    /// By when it was taken, or where the file does not tell, modified.
    Taken,
    /// By modification.
    Modified,
    /// By when it was first indexed.
    Added,
    /// By size.
    Size,
    /// By title in any ASCII case; files without one behind the others, by name.
    Title,
    /// By the generation of the last change.
    Generation,
}

/// What is wanted of each file besides what its row says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Projection {
    /// What the file says of itself.
    pub media: bool,
    /// Where it was made: only for who may know.
    pub location: bool,
}

/// Where a page ended. Opaque, and good for the query that it came from with any limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub(in crate::catalog) Vec<u8>);

impl Cursor {
    /// From bytes that [`Cursor::as_bytes`] gave, or somebody made up: the query that gets it checks it.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Cursor {
        Cursor(bytes.into())
    }

    /// To be handed around.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The trees to look in.
    pub scopes: Vec<Scope>,
    /// Who holds grants.
    pub holder: Holder,
    /// Which files.
    pub criteria: Criteria,
    /// In what order.
    pub sort: Sort,
    /// The largest first.
    pub descending: bool,
    /// So many at most; `None` for all.
    pub limit: Option<usize>,
    /// Behind this place.
    pub after: Option<Cursor>,
    /// What of them.
    pub projection: Projection,
}

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The id of its row.
    pub id: i64,
    /// Where it is.
    pub key: FileKey,
    /// What is known about it.
    pub row: FileRow,
    /// A favourite.
    pub favorite: bool,
    /// When it was first indexed, in seconds since 1970.
    pub added: i64,
    /// When it was taken, in milliseconds since 1970, if the file tells.
    pub taken_ms: Option<i64>,
    /// Its title, if the file tells.
    pub title: Option<String>,
    /// The id of its directory: the same for any spelling of it in ASCII case, another on each volume and for each user.
    pub bucket: i64,
    /// The generation that added it.
    pub generation_added: i64,
    /// The generation that changed it last.
    pub generation_modified: i64,
    /// What it says of itself, if that was asked for and is known.
    pub media: Option<Box<MediaFacts>>,
    /// Where it was made, if that was asked for and is known.
    pub location: Option<Location>,
}

/// A page of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The files.
    pub entries: Vec<Entry>,
    /// Where the next page begins, if the limit cut this one.
    pub next: Option<Cursor>,
}

/// What files are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupBy {
    /// Their directories.
    Bucket,
    /// Their albums.
    Album,
    /// Their artists.
    Artist,
    /// Their genres.
    Genre,
}

/// Files that have something in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The directory's id for [`GroupBy::Bucket`], else 0.
    pub bucket: i64,
    /// The album, artist or genre; the newest file's directory for [`GroupBy::Bucket`].
    pub name: Vec<u8>,
    /// How many there are.
    pub count: u64,
    /// When the newest was taken (or where the file does not tell, modified), in milliseconds since 1970.
    pub newest_ms: i64,
    /// The newest.
    pub newest: i64,
}

impl Catalog {
    /// The files that are asked for.
    ///
    /// # Errors
    ///
    /// [`CatalogError::Cursor`] for a cursor of another query, else as [`Catalog::file`].
    pub fn query(&self, query: &Query) -> Result<Page, CatalogError> {
        self.readers.query(query)
    }

    /// How many files there are of those that are asked for. Sort, limit, place and projection are not asked.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn count_found(&self, query: &Query) -> Result<u64, CatalogError> {
        self.readers.count_found(query)
    }

    /// The files that are asked for by what they have in common, the group with the newest file first. Sort, limit, place
    /// and projection are not asked.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn groups(&self, query: &Query, by: GroupBy) -> Result<Vec<Group>, CatalogError> {
        self.readers.groups(query, by)
    }

    /// One file, whoever may see it.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn entry(&self, file: &At, projection: Projection) -> Result<Option<Entry>, CatalogError> {
        self.readers.entry(file, projection)
    }
}
