//! `volume list|attach|detach`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::connection::Connection;
use super::failure::Failure;
use super::output;
use crate::config::{VolumeConfig, VolumeKindConfig, WatchConfig};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the attached volumes.
    #[command(
        long_about = "Lists the attached volumes: where they are, whom they serve, and whether opens can be handed to \
            the kernel. Administrators only.\n\n\
            PASSTHROUGH is the kernel's interface for it (upstream or legacy), WATCH how changes behind the mount are noticed, or off and \
            why; XATTRS says whether files carry their owners, INDEXED whether the index is up to date.",
        after_long_help = "Examples:\n  mediagate volume list\n  mediagate volume list --json | jq -r '.[].mount'"
    )]
    List,
    Attach(Attach),
    /// Unmount a volume and forget it.
    #[command(
        long_about = "Unmounts a volume and forgets it. Its files stay where they are. Administrators only.",
        after_long_help = "Examples:\n  mediagate volume detach sdcard"
    )]
    Detach {
        /// Name of the volume.
        name: String,
    },
}

/// Attach a volume and mount it.
#[derive(Debug, Args)]
#[command(
    long_about = "Attaches a volume and mounts it; when the command returns, it is mounted. It lasts until it is \
        detached or the service ends: write it into the configuration to keep it. Administrators only.\n\n\
        An emulated volume has a directory for each user (LOWER/USER/... is shown as MOUNT/USER/...), a public one is \
        one tree for all (LOWER/... is shown as MOUNT/...).",
    after_long_help = "Examples:\n  \
        mediagate volume attach external_primary --kind emulated --lower /data/media --mount /storage/emulated\n  \
        mediagate volume attach sdcard --kind public --lower /mnt/sdcard --mount /storage/sdcard --cache-seconds -1"
)]
pub(super) struct Attach {
    /// Name: lower-case letters, digits, '_', '-' and '.'.
    name: String,
    /// Kind of volume.
    #[arg(long, value_enum)]
    kind: Kind,
    /// Directory that holds the files.
    #[arg(long, value_name = "DIR")]
    lower: PathBuf,
    /// Mount point.
    #[arg(long, value_name = "DIR")]
    mount: PathBuf,
    /// User to serve; may be repeated; emulated volumes only [default: 0]
    #[arg(long = "user", value_name = "N")]
    users: Vec<u32>,
    /// Owner of new lower files, names or numbers [default: that of the lower directory]
    #[arg(long, value_name = "USER:GROUP")]
    owner: Option<String>,
    /// Serve all reads and writes instead of handing opens to the kernel.
    #[arg(long)]
    no_passthrough: bool,
    /// Seconds the kernel may trust names and attributes: 0 never, -1 for ever [default: for ever while the lower
    /// directory is watched, else 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    cache_seconds: Option<i32>,
    /// How changes behind the mount are noticed.
    #[arg(long, value_enum, default_value_t = Watch::Auto)]
    watch: Watch,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Watch {
    /// By fanotify where that is possible, else by inotify.
    Auto,
    /// By fanotify.
    Fanotify,
    /// By inotify.
    Inotify,
    /// Not at all.
    Off,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// A directory for each user.
    Emulated,
    /// One tree for all.
    Public,
}

impl Command {
    pub(super) fn run(self, connection: &Connection, json: bool) -> Result<String, Failure> {
        match self {
            Command::List => list(connection, json),
            Command::Attach(attach) => {
                let volume = attach.volume()?;
                connection.open()?.attach_volume(&volume)?;
                let mount = output::escape(volume.mount.as_os_str().as_encoded_bytes());
                output::done(format!("{} is mounted at {mount}", volume.name), json)
            }
            Command::Detach { name } => {
                connection.open()?.detach_volume(&name)?;
                output::done(format!("{name} is detached"), json)
            }
        }
    }
}

impl Attach {
    fn volume(self) -> Result<VolumeConfig, Failure> {
        let kind = match self.kind {
            Kind::Emulated => VolumeKindConfig::Emulated,
            Kind::Public => VolumeKindConfig::Public,
        };
        Ok(VolumeConfig {
            name: self.name,
            kind,
            lower: absolute(self.lower)?,
            mount: absolute(self.mount)?,
            users: self.users,
            owner: self.owner,
            passthrough: !self.no_passthrough,
            cache_seconds: self.cache_seconds,
            watch: match self.watch {
                Watch::Auto => WatchConfig::Auto,
                Watch::Fanotify => WatchConfig::Fanotify,
                Watch::Inotify => WatchConfig::Inotify,
                Watch::Off => WatchConfig::Off,
            },
        })
    }
}

/// A path as the service, which has another working directory, would say it.
pub(super) fn absolute(path: PathBuf) -> Result<PathBuf, Failure> {
    std::path::absolute(&path).map_err(|e| {
        Failure::Usage(format!("{:?} is no path: {e}", output::escape(path.as_os_str().as_encoded_bytes())))
    })
}

fn list(connection: &Connection, json: bool) -> Result<String, Failure> {
    let volumes = connection.open()?.volumes()?;
    if json {
        return output::json(&volumes);
    }
    let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    let rows: Vec<_> = volumes
        .into_iter()
        .map(|v| {
            let indexed =
                if v.emptied { "no: it has no file, see `scan`".to_owned() } else { yes(v.indexed) };
            let users = if v.users.is_empty() { "all".to_owned() } else { output::numbers(&v.users) };
            [v.name, v.kind, users, v.lower, v.mount, v.passthrough, v.watch, yes(v.xattrs), indexed]
        })
        .collect();
    let heading = ["NAME", "KIND", "USERS", "LOWER", "MOUNT", "PASSTHROUGH", "WATCH", "XATTRS", "INDEXED"];
    Ok(output::table(heading, &rows))
}
