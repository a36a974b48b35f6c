//! `query`, `changes` and `watch`: questions to the store.

use std::io::Write as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::connection::Connection;
use super::failure::Failure;
use super::output;
use crate::control::store::{
    ChangeNotice, MediaGroup, MediaGrouping, MediaItem, MediaQuery, MediaSort, NoticeKind, Which,
};

/// Names of the media types, by MediaStore's numbers.
const TYPES: [&str; 7] = ["none", "image", "audio", "video", "playlist", "subtitle", "document"];

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Match {
    Exclude,
    Include,
    Only,
}

impl From<Match> for Which {
    fn from(it: Match) -> Which {
        match it {
            Match::Exclude => Which::Exclude,
            Match::Include => Which::Include,
            Match::Only => Which::Only,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Order {
    Name,
    Taken,
    Modified,
    Added,
    Size,
    Title,
    Generation,
}

impl From<Order> for MediaSort {
    fn from(it: Order) -> MediaSort {
        match it {
            Order::Name => MediaSort::Name,
            Order::Taken => MediaSort::Taken,
            Order::Modified => MediaSort::Modified,
            Order::Added => MediaSort::Added,
            Order::Size => MediaSort::Size,
            Order::Title => MediaSort::Title,
            Order::Generation => MediaSort::Generation,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    Directory,
    Album,
    Artist,
    Genre,
}

impl From<By> for MediaGrouping {
    fn from(it: By) -> MediaGrouping {
        match it {
            By::Directory => MediaGrouping::Bucket,
            By::Album => MediaGrouping::Album,
            By::Artist => MediaGrouping::Artist,
            By::Genre => MediaGrouping::Genre,
        }
    }
}

/// Which files.
#[derive(Debug, Args)]
struct Filter {
    /// On this volume.
    #[arg(long, value_name = "NAME")]
    volume: Option<String>,
    /// In this user's tree [default: your own; root: all]
    #[arg(long, value_name = "N")]
    user: Option<u32>,
    /// In this directory, from the user's root, as DCIM/Camera.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// And below it.
    #[arg(long, requires = "dir")]
    tree: bool,
    /// Of these types: none, image, audio, video, playlist, subtitle, document.
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = media_type)]
    types: Vec<u8>,
    /// Owned by this package.
    #[arg(long, value_name = "PACKAGE")]
    owner: Option<String>,
    /// Favourites only.
    #[arg(long)]
    favorite: bool,
    /// Files in the trash.
    #[arg(long, value_name = "WHICH", num_args = 0..=1, default_value = "exclude", default_missing_value = "only")]
    trashed: Match,
    /// Files that are not published yet.
    #[arg(long, value_name = "WHICH", num_args = 0..=1, default_value = "exclude", default_missing_value = "only")]
    pending: Match,
    /// With these ids, in the trash or not, published or not.
    #[arg(long = "id", value_name = "ID", value_delimiter = ',')]
    ids: Vec<i64>,
}

impl Filter {
    fn query(self) -> MediaQuery {
        let ids = (!self.ids.is_empty()).then_some(self.ids);
        let unless_by_id = |which: Match| if ids.is_some() { Which::Include } else { which.into() };
        MediaQuery {
            trashed: unless_by_id(self.trashed),
            pending: unless_by_id(self.pending),
            ids,
            volume: self.volume,
            user: self.user,
            directory: self.dir.map(|dir| dir.into_os_string().into_vec()),
            tree: self.tree,
            types: self.types,
            owner: self.owner,
            favorite: if self.favorite { Which::Only } else { Which::Include },
            ..MediaQuery::default()
        }
    }
}

fn media_type(word: &str) -> Result<u8, String> {
    let at = TYPES.iter().position(|it| *it == word);
    at.and_then(|at| u8::try_from(at).ok()).ok_or_else(|| format!("it is one of {}", TYPES.join(", ")))
}

/// Ask the index for files.
#[derive(Debug, Args)]
#[command(
    long_about = "Asks the index for files, and lists those that you may see: an app its own and what its permissions \
        and grants show it, root all. Everything that was done through the mounts before is in the answer.\n\n\
        MARKS are f for favourites, p for files that are not published, t for those in the trash. The ids are those that \
        `update`, `trash`, `delete` and `open` take.\n\n\
        --details adds what media files say of themselves; where a picture was made only for who sees the file as it is.",
    after_long_help = "Examples:\n  mediagate query --dir DCIM --tree --type image,video --sort taken --desc --limit 20\n  \
        mediagate query --trashed --json | jq '.[].id'\n  mediagate query --groups album\n  \
        mediagate query --playlist 17\n  \
        mediagate run-as com.example.gallery -- mediagate query --count"
)]
pub(super) struct Ask {
    #[command(flatten)]
    filter: Filter,
    /// In this order.
    #[arg(long, value_name = "ORDER", default_value = "name")]
    sort: Order,
    /// The largest or latest first.
    #[arg(long)]
    desc: bool,
    /// So many at most.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// With what the files say of themselves.
    #[arg(long)]
    details: bool,
    /// Only how many there are.
    #[arg(long, conflicts_with_all = ["groups", "limit", "details"])]
    count: bool,
    /// What they have in common instead of the files.
    #[arg(long, value_name = "BY", conflicts_with_all = ["limit", "details"])]
    groups: Option<By>,
    /// What this playlist names, in its order.
    #[arg(long, value_name = "ID", conflicts_with_all = ["limit", "details", "count", "groups"])]
    playlist: Option<i64>,
}

impl Ask {
    pub(super) fn run(self, connection: &Connection, as_json: bool) -> Result<String, Failure> {
        let mut query = MediaQuery {
            sort: self.sort.into(),
            descending: self.desc,
            details: self.details,
            ..self.filter.query()
        };
        let client = connection.open()?;
        let store = client.store()?;
        if let Some(list_id) = self.playlist {
            let (mut all, mut after) = (Vec::new(), None);
            loop {
                let page = store.playlist(list_id, after)?;
                all.extend(page.items);
                after = page.next;
                if after.is_none() {
                    return list(&all, as_json);
                }
            }
        }
        if self.count {
            let count = store.count(&query)?;
            return if as_json { output::json(&json!({ "count": count })) } else { Ok(format!("{count}\n")) };
        }
        if let Some(by) = self.groups {
            let mut all: Vec<MediaGroup> = Vec::new();
            loop {
                let page = store.groups(&query, by.into(), u32::try_from(all.len()).unwrap_or(u32::MAX))?;
                if page.is_empty() {
                    return groups(&all, as_json);
                }
                all.extend(page);
            }
        }
        let mut left = self.limit.unwrap_or(u32::MAX);
        let mut all = Vec::new();
        while left > 0 {
            query.limit = if left == u32::MAX { 0 } else { left };
            let page = store.query(&query)?;
            left = left.saturating_sub(u32::try_from(page.items.len()).unwrap_or(u32::MAX));
            all.extend(page.items);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        list(&all, as_json)
    }
}

fn groups(all: &[MediaGroup], as_json: bool) -> Result<String, Failure> {
    if as_json {
        let one = |it: &MediaGroup| {
            json!({
                "bucket": it.bucket, "name": output::escape(&it.name), "count": it.count,
                "newest_millis": it.newest_millis, "newest": it.newest,
            })
        };
        return output::json(&all.iter().map(one).collect::<Vec<_>>());
    }
    let rows: Vec<_> = all
        .iter()
        .map(|it| [output::escape(&it.name), it.count.to_string(), it.newest.to_string()])
        .collect();
    Ok(output::table(["NAME", "FILES", "NEWEST"], &rows))
}

fn type_word(number: u8) -> &'static str {
    TYPES.get(usize::from(number)).copied().unwrap_or("unknown")
}

fn value(it: &MediaItem) -> Value {
    json!({
        "id": it.id, "volume": it.volume, "user": it.user, "path": output::escape(&it.path),
        "relative_path": output::escape(&it.relative_path), "display_name": output::escape(&it.display_name),
        "mime": it.mime, "type": type_word(it.media_type), "size": it.size,
        "modified_nanos": it.modified_nanos, "added": it.added, "taken_millis": it.taken_millis,
        "title": it.title, "owner": it.owner, "favorite": it.favorite, "pending": it.pending,
        "trashed": it.trashed, "expires": it.expires, "bucket": it.bucket,
        "generation_added": it.generation_added, "generation_modified": it.generation_modified,
        "details": it.details,
    })
}

fn list(items: &[MediaItem], as_json: bool) -> Result<String, Failure> {
    if as_json {
        return output::json(&items.iter().map(value).collect::<Vec<_>>());
    }
    let row = |it: &MediaItem| {
        let marks = [(it.favorite, 'f'), (it.pending, 'p'), (it.trashed, 't')];
        let marks: String = marks.into_iter().filter(|(has, _)| *has).map(|(_, mark)| mark).collect();
        let owner = it.owner.clone().unwrap_or_default();
        let kind = type_word(it.media_type).to_owned();
        [it.id.to_string(), kind, it.size.to_string(), marks, owner, output::escape(&it.path)]
    };
    let rows: Vec<_> = items.iter().map(row).collect();
    Ok(output::table(["ID", "TYPE", "SIZE", "MARKS", "OWNER", "PATH"], &rows))
}

/// Show what changed since a generation.
#[derive(Debug, Args)]
#[command(
    long_about = "Shows the files that were added or changed after a generation, and the pictures and videos that went \
        since: for who keeps a copy. The last line names the generation to begin with the next time; 0 begins anew. \
        When the answer is `start over`, the index does not reach back so far.",
    after_long_help = "Examples:\n  mediagate changes --since 0\n  mediagate changes --since 1234 --type image,video --json"
)]
pub(super) struct Changes {
    /// The generation that is known already: what the last answer ended with, or 0.
    #[arg(long, value_name = "N")]
    since: i64,
    #[command(flatten)]
    filter: Filter,
}

impl Changes {
    pub(super) fn run(self, connection: &Connection, as_json: bool) -> Result<String, Failure> {
        let mut query = self.filter.query();
        let client = connection.open()?;
        let store = client.store()?;
        let (mut items, mut gone) = (Vec::new(), Vec::new());
        let (generation, start_over) = loop {
            let page = store.changes(&query, self.since)?;
            items.extend(page.items);
            gone.extend(page.gone);
            query.after = page.next;
            if query.after.is_none() {
                break (page.generation, page.start_over);
            }
        };
        if as_json {
            let (_, index) = store.version()?;
            let items: Vec<_> = items.iter().map(value).collect();
            return output::json(&json!({
                "items": items, "gone": gone, "generation": generation, "index": index, "start_over": start_over,
            }));
        }
        let mut text = list(&items, false)?;
        for id in gone {
            text.push_str(&format!("{id} is gone\n"));
        }
        if start_over {
            text.push_str("start over: the index does not reach back so far\n");
        }
        Ok(text + &format!("generation {generation}\n"))
    }
}

/// Show changes as they come.
#[derive(Debug, Args)]
#[command(
    long_about = "Shows changes of files that you may see as they come, until it is stopped: a line for each, with --json \
        an object on a line. The first line says that from there on nothing is missed. `many` says that anything may have \
        changed, as after changes that came too fast.",
    after_long_help = "Examples:\n  mediagate watch\n  mediagate watch --type image,video --json"
)]
pub(super) struct Watch {
    #[command(flatten)]
    filter: Filter,
    /// End after so many changes, with 0.
    #[arg(long, value_name = "N")]
    count: Option<usize>,
}

impl Watch {
    pub(super) fn run(self, connection: &Connection, as_json: bool) -> Result<String, Failure> {
        let query = self.filter.query();
        let client = connection.open()?;
        let mut left = self.count.unwrap_or(usize::MAX);
        let say = |text: String| {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
        };
        let begun = || {
            say(if as_json { json!({ "watching": true }).to_string() } else { "watching".to_owned() });
        };
        client.store()?.watch(&query, begun, |(notices, missed)| {
            for notice in notices {
                if left == 0 || !say(line(&notice, missed, as_json)) {
                    return false;
                }
                left -= 1;
            }
            left > 0
        })?;
        Ok(String::new())
    }
}

fn line(it: &ChangeNotice, missed: u64, as_json: bool) -> String {
    if as_json {
        return json!({
            "kind": it.kind, "volume": it.volume, "id": it.id, "generation": it.generation, "missed": missed,
        })
        .to_string();
    }
    let kind = match it.kind {
        NoticeKind::Added => "added",
        NoticeKind::Changed => "changed",
        NoticeKind::Removed => "removed",
        NoticeKind::Many => "many",
    };
    format!("{kind} {} {} generation {} missed {missed}", output::show(&it.volume), it.id, it.generation)
}
