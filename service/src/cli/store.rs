//! `insert`, `update`, `trash`, `untrash`, `favorite`, `delete` and `open`: work on files of the store.

use std::fs::File;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::connection::Connection;
use super::failure::Failure;
use super::output;
use crate::control::store::{InsertSpec, MOST_IDS, MediaChanges, MediaResult, OpenMode};

/// Make a file in the index's name.
#[derive(Debug, Args)]
#[command(
    long_about = "Makes an empty file that belongs to you, and prints its id and path. The name is made one that any \
        volume can hold, gets the extension of the type unless it has one, and a number if it is taken: x (1).jpg. \
        Without a directory the file goes where its type belongs.",
    after_long_help = "Examples:\n  mediagate insert x.jpg\n  mediagate insert report --mime application/pdf --dir Documents\n  \
        mediagate run-as com.example.camera -- mediagate insert IMG_0001.jpg --dir DCIM/Camera --pending"
)]
pub(super) struct Insert {
    /// Name of the file.
    name: PathBuf,
    /// Directory from the user's root.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// MIME type [default: that of the name]
    #[arg(long, value_name = "TYPE")]
    mime: Option<String>,
    /// Volume [default: the first emulated one]
    #[arg(long, value_name = "NAME")]
    volume: Option<String>,
    /// User in whose tree [default: your own]
    #[arg(long, value_name = "N")]
    user: Option<u32>,
    /// Hidden from others until it is published.
    #[arg(long)]
    pending: bool,
}

impl Insert {
    pub(super) fn run(self, connection: &Connection, as_json: bool) -> Result<String, Failure> {
        let spec = InsertSpec {
            volume: self.volume,
            user: self.user,
            relative_path: self.dir.map(|dir| dir.into_os_string().into_vec()),
            display_name: Some(self.name.into_os_string().into_vec()),
            mime: self.mime,
            pending: self.pending,
        };
        let made = connection.open()?.store()?.insert(&spec)?;
        let path = output::escape(&made.path);
        if as_json {
            let name = output::escape(&made.display_name);
            return output::json(
                &json!({ "id": made.id, "path": path, "display_name": name, "mime": made.mime }),
            );
        }
        Ok(format!("{} {path}\n", made.id))
    }
}

/// Ids of files.
#[derive(Debug, Args)]
struct Ids {
    /// Ids, as `query` shows them.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<i64>,
}

/// Rename, move or publish files.
#[derive(Debug, Args)]
#[command(
    long_about = "Changes files by their ids: their names, their directories on the same volume, and whether they are \
        published. A file whose new name is taken gets a number. One that fails does not keep the others; the command \
        then exits with 1.",
    after_long_help = "Examples:\n  mediagate update 17 --name holiday.jpg\n  mediagate update 17 18 --dir Pictures/2024\n  \
        mediagate update 17 --publish"
)]
pub(super) struct Update {
    #[command(flatten)]
    ids: Ids,
    /// A new name.
    #[arg(long, value_name = "NAME")]
    name: Option<PathBuf>,
    /// Another directory, from the user's root.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Show it to others.
    #[arg(long)]
    publish: bool,
}

impl Update {
    pub(super) fn run(self, connection: &Connection, as_json: bool) -> Result<String, Failure> {
        let changes = MediaChanges {
            display_name: self.name.map(|it| it.as_os_str().as_bytes().to_vec()),
            relative_path: self.dir.map(|it| it.as_os_str().as_bytes().to_vec()),
            pending: self.publish.then_some(false),
            ..MediaChanges::default()
        };
        change(connection, &self.ids.ids, &changes, as_json)
    }
}

/// Put files into the trash.
#[derive(Debug, Args)]
#[command(
    long_about = "Puts files into the trash by their ids: nobody but their owner, galleries and managers sees them, and \
        after 30 days they are removed.",
    after_long_help = "Examples:\n  mediagate trash 17 18\n  mediagate query --trashed"
)]
pub(super) struct Trash {
    #[command(flatten)]
    ids: Ids,
}

impl Trash {
    pub(super) fn run(self, connection: &Connection, as_json: bool) -> Result<String, Failure> {
        let changes = MediaChanges { trashed: Some(true), ..MediaChanges::default() };
        change(connection, &self.ids.ids, &changes, as_json)
    }
}

/// Take files out of the trash.
#[derive(Debug, Args)]
#[command(
    long_about = "Takes files out of the trash by their ids, back to where they were. One whose name is taken gets a number.",
    after_long_help = "Examples:\n  mediagate untrash 17 18"
)]
pub(super) struct Untrash {
    #[command(flatten)]
    ids: Ids,
}

impl Untrash {
    pub(super) fn run(self, connection: &Connection, as_json: bool) -> Result<String, Failure> {
        let changes = MediaChanges { trashed: Some(false), ..MediaChanges::default() };
        change(connection, &self.ids.ids, &changes, as_json)
    }
}

/// Make files favourites.
#[derive(Debug, Args)]
#[command(
    long_about = "Marks files as favourites by their ids, or with --off not any more. Whoever may write a file may do that.",
    after_long_help = "Examples:\n  mediagate favorite 17\n  mediagate favorite 17 --off\n  mediagate query --favorite"
)]
pub(super) struct Favorite {
    #[command(flatten)]
    ids: Ids,
    /// Not any more.
    #[arg(long)]
    off: bool,
}

impl Favorite {
    pub(super) fn run(self, connection: &Connection, as_json: bool) -> Result<String, Failure> {
        let changes = MediaChanges { favorite: Some(!self.off), ..MediaChanges::default() };
        change(connection, &self.ids.ids, &changes, as_json)
    }
}

/// Remove files for good.
#[derive(Debug, Args)]
#[command(
    long_about = "Removes files for good by their ids. One that fails does not keep the others; the command then exits with 1.",
    after_long_help = "Examples:\n  mediagate delete 17 18"
)]
pub(super) struct Delete {
    #[command(flatten)]
    ids: Ids,
}

impl Delete {
    pub(super) fn run(self, connection: &Connection, as_json: bool) -> Result<String, Failure> {
        let client = connection.open()?;
        let store = client.store()?;
        let mut results = Vec::new();
        for ids in self.ids.ids.chunks(MOST_IDS) {
            results.extend(store.remove(ids)?);
        }
        report(&self.ids.ids, &results, as_json)
    }
}

/// Write a file's content to standard output.
#[derive(Debug, Args)]
#[command(
    long_about = "Opens a file by its id, as you may see it, and copies it to standard output.",
    after_long_help = "Examples:\n  mediagate open 17 > copy.jpg"
)]
pub(super) struct Open {
    /// Its id.
    #[arg(value_name = "ID")]
    id: i64,
}

impl Open {
    pub(super) fn run(self, connection: &Connection) -> Result<String, Failure> {
        let fd = connection.open()?.store()?.open(self.id, OpenMode::default())?;
        match std::io::copy(&mut File::from(fd), &mut std::io::stdout().lock()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::Failed(format!("cannot copy the file: {error}")))
            }
            _ => Ok(String::new()),
        }
    }
}

fn change(
    connection: &Connection,
    ids: &[i64],
    changes: &MediaChanges,
    as_json: bool,
) -> Result<String, Failure> {
    let client = connection.open()?;
    let store = client.store()?;
    let mut results = Vec::new();
    for ids in ids.chunks(MOST_IDS) {
        results.extend(store.update(ids, changes)?);
    }
    report(ids, &results, as_json)
}

fn report(ids: &[i64], results: &[MediaResult], as_json: bool) -> Result<String, Failure> {
    let failed: Vec<_> = ids.iter().zip(results).filter(|(_, it)| **it != MediaResult::Done).collect();
    if as_json {
        let all: Vec<_> =
            ids.iter().zip(results).map(|(id, result)| json!({ "id": id, "result": result })).collect();
        return output::json(&all);
    }
    if failed.is_empty() {
        return Ok(format!("{} done\n", results.len()));
    }
    let word = |result: MediaResult| match result {
        MediaResult::Done => "done",
        MediaResult::NotFound => "there is no such file",
        MediaResult::AlreadyExists => "all names are taken",
        MediaResult::Invalid => "that makes no sense of this file",
        MediaResult::Failed => "the service failed at it",
        MediaResult::Denied => "not allowed",
    };
    let lines: Vec<String> =
        failed.into_iter().map(|(id, result)| format!("{id}: {}", word(*result))).collect();
    Err(Failure::Failed(lines.join("\n")))
}
