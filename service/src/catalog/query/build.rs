//! A query as statements: which index each arm walks along, and the conditions.
//!
//! The text is put together from this file's own words and the policy's; whatever a caller brings is bound. Every arm has
//! all conditions of the query, whichever index it uses: the index decides where it looks first, never what it finds.

use std::fmt::Write as _;

use mediagate_policy::{Columns, MediaType, MediaTypes, Value as Bound};
use rusqlite::types::Value;

use super::cursor::Place;
use super::{Criteria, Match, Query, Scope, Sort, Within};
use crate::catalog::functions::bucket_of;
use crate::catalog::tree::{Range, stored};

/// What an [`super::Entry`] is read from.
const ENTRY: &str = "files.id, files.volume_id, files.user_id, files.dir, files.name, files.owner, files.mime, \
     files.media_type, files.pending, files.trashed, files.expires, files.ino, files.birth, files.size, \
     files.mtime_ns, files.favorite, files.added, files.taken, files.title, files.bucket, files.generation_added, \
     files.generation_modified";

/// Sounds, without what comes with them.
const AUDIO: MediaTypes = MediaTypes::of(MediaType::Audio);

/// Stands for the caller's grants in a rendered filter.
const GRANTS: char = '\u{1}';

/// One statement and its values.
#[derive(Debug)]
pub(in crate::catalog) struct Arm {
    pub(in crate::catalog) sql: String,
    pub(in crate::catalog) values: Vec<Value>,
}

/// Where an arm begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::catalog) enum After<'a> {
    /// At the first file.
    Nothing,
    /// Behind a place.
    Place(&'a Place),
    /// Behind a place, among the files of its key. An index finds that at once, and those of [`After::Key`]; what is
    /// behind a place it would look for among all files of the key, of which there may be many.
    Equal(&'a Place),
    /// Behind all files of a place's key.
    Key(&'a Place),
}

/// What an arm is to yield.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::catalog) enum Yield<'a> {
    /// The sort key and the entry, in order, behind a place.
    Entries { after: After<'a>, limit: Option<usize> },
    /// One number.
    Count,
    /// What files are grouped by (an expression), when each was taken, and its id.
    Groups(&'static str),
}

/// How an arm finds its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::catalog) enum Walk {
    /// Along the index of the sort, for one media type after the other.
    Sorted,
    /// Through all files of the media types.
    Types,
    /// By generation.
    Generations,
    /// By id.
    Ids,
    /// From the tags of sounds.
    Tags,
    /// Through directories.
    Paths,
    /// Through one directory, by time.
    Bucket,
    /// Through what a package owns.
    Owned,
    /// Through favourites.
    Favorites,
}

/// What may be so few that looking at all of it and sorting beats a walk in order. To be counted.
pub(in crate::catalog) fn narrow_walks(criteria: &Criteria) -> impl Iterator<Item = Walk> {
    let tree = matches!(&criteria.within, Within::Tree(dir) if !dir.is_empty());
    let owned = criteria.owner.is_some();
    let changed = criteria.changed_since.is_some();
    [(tree, Walk::Paths), (owned, Walk::Owned), (changed, Walk::Generations)]
        .into_iter()
        .filter_map(|(asked, walk)| asked.then_some(walk))
}

/// The walk that needs no counting, if the question has one.
pub(in crate::catalog) fn sure_walk(query: &Query) -> Option<Walk> {
    let criteria = &query.criteria;
    if criteria.ids.is_some() {
        return Some(Walk::Ids);
    }
    if criteria.album.is_some() || criteria.artist.is_some() || criteria.genre.is_some() {
        return Some(Walk::Tags);
    }
    match &criteria.within {
        Within::Bucket(_) => return Some(Walk::Bucket),
        Within::Directory(_) if query.sort == Sort::Taken => return Some(Walk::Bucket),
        Within::Directory(_) => return Some(Walk::Paths),
        Within::Tree(_) | Within::Anywhere => {}
    }
    if criteria.favorite == Match::Only {
        return Some(Walk::Favorites);
    }
    (query.sort == Sort::Generation).then_some(Walk::Generations)
}

/// The walk that any question can take.
pub(in crate::catalog) fn long_walk(query: &Query) -> Walk {
    match query.sort {
        Sort::Taken | Sort::Modified | Sort::Added | Sort::Generation => Walk::Sorted,
        Sort::Title if query.criteria.types == AUDIO => Walk::Sorted,
        Sort::Title | Sort::Name | Sort::Size => Walk::Types,
    }
}

impl Sort {
    fn key(self) -> &'static str {
        match self {
            Sort::Name => "files.name",
            Sort::Taken => "files.inferred",
            Sort::Modified => "files.mtime_ns",
            Sort::Added => "files.added",
            Sort::Size => "files.size",
            Sort::Title => "files.sort_title",
            Sort::Generation => "files.generation_modified",
        }
    }

    /// The index that has it for each media type; of titles there is one for sounds.
    fn index(self) -> &'static str {
        match self {
            Sort::Modified => "files_modified",
            Sort::Added => "files_added",
            Sort::Title => "files_title",
            Sort::Generation => "files_generation",
            Sort::Taken | Sort::Name | Sort::Size => "files_taken",
        }
    }
}

impl Walk {
    /// One arm for each media type: the walk is along an index that begins with it.
    fn by_type(self, sort: Sort) -> bool {
        match self {
            Walk::Sorted => true,
            Walk::Bucket => sort == Sort::Taken,
            _ => false,
        }
    }

    /// The index has the files in the order that is asked for.
    pub(in crate::catalog) fn in_order(self, query: &Query) -> bool {
        match self {
            Walk::Sorted => true,
            Walk::Generations => query.sort == Sort::Generation,
            Walk::Bucket | Walk::Favorites => query.sort == Sort::Taken,
            Walk::Paths => query.sort == Sort::Name && matches!(query.criteria.within, Within::Directory(_)),
            Walk::Types | Walk::Ids | Walk::Tags | Walk::Owned => false,
        }
    }

    /// All files of the media types may be looked at.
    pub(in crate::catalog) fn is_long(self) -> bool {
        matches!(self, Walk::Sorted | Walk::Types | Walk::Generations)
    }

    fn from(self, query: &Query) -> String {
        let index = match self {
            Walk::Sorted => query.sort.index(),
            Walk::Types => "files_taken",
            Walk::Generations => "files_generation",
            Walk::Paths => "files_path",
            Walk::Bucket => "files_bucket",
            Walk::Owned => "files_owner",
            Walk::Favorites => "files_favorite",
            // By id: that is no index.
            Walk::Ids => return "files NOT INDEXED".to_owned(),
            Walk::Tags => {
                let index = match &query.criteria {
                    Criteria { album: Some(_), .. } => "media_album",
                    Criteria { artist: Some(_), .. } => "media_artist",
                    _ => "media_genre",
                };
                return format!(
                    "media INDEXED BY {index} CROSS JOIN files NOT INDEXED ON files.id = media.id"
                );
            }
        };
        format!("files INDEXED BY {index}")
    }
}

/// The statements for one scope.
pub(in crate::catalog) fn arms(query: &Query, scope: &Scope, walk: Walk, what: Yield<'_>) -> Vec<Arm> {
    let parts = match what {
        Yield::Entries { after: After::Place(place), limit } if walk.in_order(query) => {
            [After::Equal(place), After::Key(place)].map(|after| Yield::Entries { after, limit }).to_vec()
        }
        what => vec![what],
    };
    let types: Vec<Option<MediaType>> = match query.criteria.types {
        MediaTypes::NONE => Vec::new(),
        types if walk.by_type(query.sort) => types.iter().map(Some).collect(),
        _ => vec![None],
    };
    let arm = |media_type| parts.iter().map(move |part| arm(query, scope, walk, media_type, *part));
    types.into_iter().flat_map(arm).collect()
}

/// Ids and generations of what went from a scope and could be seen by who asks, behind a generation and an id, by both.
pub(in crate::catalog) fn tombstones(query: &Query, scope: &Scope, after: (i64, i64), limit: usize) -> Arm {
    let mut text = Text::default();
    text.place(scope);
    // Under the name of the table whose columns it repeats, for the conditions are those of rows.
    text.visible(query, scope);
    let (generation, id) = (text.bind(Value::Integer(after.0)), text.bind(Value::Integer(after.1)));
    text.and(format!("(files.generation, files.id) > ({generation}, {id})"));
    let limit = text.bind(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
    let sql = format!(
        "SELECT files.id, files.generation FROM deleted_media AS files INDEXED BY deleted_media_of \
         WHERE {} ORDER BY files.generation, files.id LIMIT {limit}",
        text.conditions
    );
    Arm { sql, values: text.values }
}

/// Counts up to `most` of what a narrow walk would look at.
pub(in crate::catalog) fn probe(query: &Query, scope: &Scope, walk: Walk, most: i64) -> Arm {
    let mut text = Text::default();
    text.place(scope);
    match walk {
        Walk::Paths => text.within(&query.criteria.within),
        Walk::Owned => {
            // The index has nothing but the owner.
            text = Text::default();
            text.owner(&query.criteria);
        }
        _ => text.changed(&query.criteria),
    }
    let most = text.bind(Value::Integer(most));
    let from = walk.from(query);
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {from} WHERE {} LIMIT {most})", text.conditions);
    Arm { sql, values: text.values }
}

fn arm(query: &Query, scope: &Scope, walk: Walk, media_type: Option<MediaType>, what: Yield<'_>) -> Arm {
    let criteria = &query.criteria;
    let mut text = Text::default();
    text.place(scope);
    match media_type {
        // Not bound: SQLite has to see that the index of the titles has them all.
        Some(one) => text.and(format!("files.media_type = {}", one as u8)),
        None if criteria.types != MediaTypes::ALL => {
            let values = criteria.types.iter().map(|it| Value::Integer(it as i64));
            text.and_in("files.media_type", values);
        }
        None => {}
    }
    text.within(&criteria.within);
    if let (Walk::Bucket, Within::Directory(dir)) = (walk, &criteria.within) {
        text.and_is(
            "files.bucket",
            Value::Integer(bucket_of(scope.volume.number(), scope.user, &stored(dir))),
        );
    }
    text.states(criteria);
    text.owner(criteria);
    text.changed(criteria);
    text.names(criteria);
    text.times(criteria);
    text.tags(criteria);
    text.visible(query, scope);
    let joined = match what {
        Yield::Groups(by) if by.starts_with("media.") && walk != Walk::Tags => {
            text.and(format!("{by} IS NOT NULL"));
            " CROSS JOIN media ON media.id = files.id"
        }
        Yield::Groups(by) if by.starts_with("media.") => {
            text.and(format!("{by} IS NOT NULL"));
            ""
        }
        _ => "",
    };
    let from = walk.from(query);
    let key = query.sort.key();
    let sql = match what {
        Yield::Count => format!("SELECT count(*) FROM {from} WHERE {}", text.conditions),
        Yield::Groups(by) => {
            format!("SELECT {by}, files.inferred, files.id FROM {from}{joined} WHERE {}", text.conditions)
        }
        Yield::Entries { after, limit } => {
            let (beyond, order) = if query.descending { ("<", "DESC") } else { (">", "ASC") };
            match after {
                After::Nothing => {}
                After::Place(place) => {
                    let (value, id) = (text.bind(place.key.bind()), text.bind(Value::Integer(place.id)));
                    text.and(format!("({key}, files.id) {beyond} ({value}, {id})"));
                }
                After::Equal(place) => {
                    let (value, id) = (text.bind(place.key.bind()), text.bind(Value::Integer(place.id)));
                    text.and(format!("{key} = {value} AND files.id {beyond} {id}"));
                }
                After::Key(place) => {
                    let value = text.bind(place.key.bind());
                    text.and(format!("{key} {beyond} {value}"));
                }
            }
            // One more than wanted, to know whether there is more.
            let limit = limit.and_then(|it| i64::try_from(it).ok()).map_or(-1, |it| it.saturating_add(1));
            let limit = text.bind(Value::Integer(limit));
            format!(
                "SELECT {key}, {ENTRY} FROM {from} WHERE {} ORDER BY {key} {order}, files.id {order} LIMIT {limit}",
                text.conditions
            )
        }
    };
    Arm { sql, values: text.values }
}

/// Conditions, and the values bound in them, by number.
#[derive(Default)]
struct Text {
    conditions: String,
    values: Vec<Value>,
}

impl Text {
    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }

    fn and(&mut self, condition: impl AsRef<str>) {
        if !self.conditions.is_empty() {
            self.conditions.push_str(" AND ");
        }
        self.conditions.push_str(condition.as_ref());
    }

    fn and_is(&mut self, column: &str, value: Value) {
        let value = self.bind(value);
        self.and(format!("{column} = {value}"));
    }

    fn list(&mut self, values: impl Iterator<Item = Value>) -> String {
        values.map(|value| self.bind(value)).collect::<Vec<_>>().join(", ")
    }

    fn and_in(&mut self, column: &str, values: impl Iterator<Item = Value>) {
        let values = self.list(values);
        self.and(format!("{column} IN ({values})"));
    }

    fn place(&mut self, scope: &Scope) {
        self.and_is("files.volume_id", Value::Integer(scope.volume.number()));
        self.and_is("files.user_id", Value::Integer(scope.user.into()));
    }

    fn within(&mut self, within: &Within) {
        match within {
            Within::Anywhere => {}
            Within::Directory(dir) => self.and_is("files.dir", Value::Blob(stored(dir))),
            Within::Tree(dir) if dir.is_empty() => {}
            Within::Tree(dir) => {
                let Range { low, high } = Range::of(dir);
                let (low, high) = (self.bind(Value::Blob(low)), self.bind(Value::Blob(high)));
                self.and(format!("files.dir >= {low} AND files.dir < {high}"));
            }
            Within::Bucket(bucket) => self.and_is("files.bucket", Value::Integer(*bucket)),
        }
    }

    fn states(&mut self, criteria: &Criteria) {
        let states = [
            ("files.favorite", criteria.favorite),
            ("files.pending", criteria.pending),
            ("files.trashed", criteria.trashed),
        ];
        for (column, wanted) in states {
            match wanted {
                Match::Include => {}
                Match::Exclude => self.and(format!("{column} = 0")),
                Match::Only => self.and(format!("{column} = 1")),
            }
        }
    }

    fn owner(&mut self, criteria: &Criteria) {
        if let Some(owner) = &criteria.owner {
            self.and_is("files.owner", Value::Text(owner.to_string()));
        }
    }

    fn changed(&mut self, criteria: &Criteria) {
        if let Some(since) = criteria.changed_since {
            let since = self.bind(Value::Integer(since));
            self.and(format!("files.generation_modified > {since}"));
        }
    }

    fn names(&mut self, criteria: &Criteria) {
        if let Some(ids) = &criteria.ids {
            let ids = self.bind(Value::Text(format!("{ids:?}")));
            self.and(format!("files.id IN (SELECT value FROM json_each({ids}))"));
        }
        if let Some(part) = &criteria.name_contains {
            let part = self.bind(Value::Blob(part.to_ascii_lowercase()));
            self.and(format!("instr(CAST(lower(CAST(files.name AS TEXT)) AS BLOB), {part}) > 0"));
        }
        if let Some(prefix) = &criteria.mime_prefix {
            let prefix = self.bind(Value::Text(prefix.to_ascii_lowercase()));
            self.and(format!("lower(substr(files.mime, 1, length({prefix}))) = {prefix}"));
        }
    }

    fn times(&mut self, criteria: &Criteria) {
        let times = [("files.inferred", &criteria.taken_ms), ("files.mtime_ns", &criteria.modified_ns)];
        for (column, range) in times {
            if let Some(range) = range {
                let from = self.bind(Value::Integer(range.start));
                let to = self.bind(Value::Integer(range.end));
                self.and(format!("{column} >= {from} AND {column} < {to}"));
            }
        }
    }

    fn tags(&mut self, criteria: &Criteria) {
        let tags = [
            ("media.album", &criteria.album),
            ("media.artist", &criteria.artist),
            ("media.genre", &criteria.genre),
        ];
        for (column, tag) in tags {
            if let Some(tag) = tag {
                self.and_is(column, Value::Text(tag.clone()));
            }
        }
    }

    /// The policy's rule, its parameters numbered.
    fn visible(&mut self, query: &Query, scope: &Scope) {
        let columns = Columns {
            owner: "files.owner",
            media_type: "files.media_type",
            trashed: "files.trashed",
            grants: "\u{1}",
            dir: "files.dir",
            name: "files.name",
        };
        let (rule, values) = scope.visible.to_sql(&columns);
        let mut values = values.into_iter();
        let mut grants = None;
        let mut text = String::with_capacity(rule.len());
        for sign in rule.chars() {
            match sign {
                '?' => {
                    let value = match values.next() {
                        Some(Bound::Integer(number)) => Value::Integer(number),
                        Some(Bound::Text(text)) => Value::Text(text.to_string()),
                        None => Value::Null,
                    };
                    let number = self.bind(value);
                    text.push_str(&number);
                }
                GRANTS => text.push_str(grants.get_or_insert_with(|| self.grants(query))),
                sign => text.push(sign),
            }
        }
        self.and(text);
    }

    /// What the caller holds on a file, as `mediagate_policy::FileGrants` has it in bits. The grant must be on this very
    /// file: inode numbers are used again, births are not.
    fn grants(&mut self, query: &Query) -> String {
        let holder = &query.holder;
        if holder.packages.is_empty() {
            return "0".to_owned();
        }
        let user = self.bind(Value::Integer(holder.user.into()));
        let now = self.bind(Value::Integer(holder.now));
        let packages = self.list(holder.packages.iter().map(|it| Value::Text(it.to_string())));
        let mut sql =
            String::from("(SELECT coalesce(max(kind = 0) + 2 * max(kind > 0) + 4 * max(kind = 2), 0)");
        // Writing to a String does not fail.
        let _ = write!(
            sql,
            " FROM grants WHERE grants.file_id = files.id AND grants.birth = files.birth AND grants.user_id = {user} \
             AND grants.package IN ({packages}) AND (grants.expires IS NULL OR grants.expires > {now}))"
        );
        sql
    }
}
