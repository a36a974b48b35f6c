//! `package list|install|remove`.

use clap::{Args, Subcommand};

use super::connection::Connection;
use super::failure::Failure;
use super::output;
use super::permission::Mode;
use crate::binder::Client;
use crate::config::PackageConfig;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the packages.
    #[command(
        long_about = "Lists the packages that the service knows, with their uids and permissions. Administrators see \
            all; an app sees the packages that have its own uid.\n\n\
            SOURCE is where one is known from: config, packages.list, or runtime, which is what commands did. UIDS has one for \
            each of its users.",
        after_long_help = "Examples:\n  mediagate package list\n  \
            mediagate package list --json | jq '.[] | {name, uids, permissions}'"
    )]
    List,
    Install(Box<Install>),
    /// Remove a package.
    #[command(
        long_about = "Removes a package from all users. Its files stay, but are nobody's: one of this name that is installed later \
            does not own them. Files below Android/media and its name stay the package's. Administrators only.",
        after_long_help = "Examples:\n  mediagate package remove com.example.camera"
    )]
    Remove {
        /// Name of the package.
        name: String,
    },
    /// Take its files and grants away from a package.
    #[command(
        long_about = "Does to what a package owns and was granted what its removal would, while it stays installed: as \
            clearing an app's data does. Administrators only.",
        after_long_help = "Examples:\n  mediagate package clear com.example.camera"
    )]
    Clear {
        /// Name of the package.
        name: String,
    },
}

/// Install a package, or replace it.
#[derive(Debug, Args)]
#[command(
    long_about = "Installs a package, or replaces the one of that name. Administrators only.\n\n\
        The uid in a user is USER * 100000 + APP-ID. Packages with one app id share their uid.",
    after_long_help = "Examples:\n  \
        mediagate package install com.example.camera --app-id 10101 --permission READ_MEDIA_IMAGES\n  \
        mediagate package install com.example.files --app-id 10102 --user 0 --user 10 \\\n      \
        --app-op MANAGE_EXTERNAL_STORAGE=allow"
)]
pub(super) struct Install {
    /// Name of the package.
    name: String,
    /// App id: 10000 to 19999 for installed apps.
    #[arg(long, value_name = "N")]
    app_id: u32,
    /// User to install it for; may be repeated.
    #[arg(long = "user", value_name = "N", default_values_t = [0])]
    users: Vec<u32>,
    /// Target SDK level.
    #[arg(long, value_name = "N", default_value_t = 34)]
    target_sdk: u32,
    /// Permission to grant, with or without "android.permission."; may be repeated.
    #[arg(long = "permission", value_name = "NAME")]
    permissions: Vec<String>,
    /// App op to set (modes: default, allow, ignore, deny); may be repeated.
    #[arg(long = "app-op", value_name = "OP=MODE", value_parser = op_and_mode)]
    app_ops: Vec<(String, Mode)>,
    /// Its manifest has requestLegacyExternalStorage.
    #[arg(long)]
    legacy_storage: bool,
    /// What its manifest says of requestRawExternalStorageAccess, if it does.
    #[arg(long, value_name = "BOOL")]
    raw_access: Option<bool>,
    /// What the compat changes DEFAULT_SCOPED_STORAGE and FORCE_ENABLE_SCOPED_STORAGE say, if both are set alike for it.
    #[arg(long, value_name = "BOOL")]
    scoped_storage: Option<bool>,
    /// Other packages may have the same uid, if they say so too.
    #[arg(long)]
    shared_uid: bool,
    /// It is an instant app: it runs without being installed and has no shared storage.
    #[arg(long)]
    instant: bool,
}

fn op_and_mode(text: &str) -> Result<(String, Mode), String> {
    let (op, mode) = text.split_once('=').ok_or("write OP=MODE, as in MANAGE_EXTERNAL_STORAGE=allow")?;
    let mode = <Mode as clap::ValueEnum>::from_str(mode, false)
        .map_err(|_| format!("{mode:?} is no mode; it is one of default, allow, ignore, deny"))?;
    Ok((op.to_owned(), mode))
}

impl Command {
    pub(super) fn run(self, connection: &Connection, json: bool) -> Result<String, Failure> {
        match self {
            Command::List => list(connection, json),
            Command::Install(install) => {
                let package = install.package();
                connection.open()?.install_package(&package)?;
                output::done(format!("{} is installed", package.name), json)
            }
            Command::Remove { name } => {
                connection.open()?.remove_package(&name)?;
                output::done(format!("{name} is removed"), json)
            }
            Command::Clear { name } => {
                connection.open()?.clear_package(&name)?;
                output::done(format!("{name} has nothing any more"), json)
            }
        }
    }
}

impl Install {
    fn package(self) -> PackageConfig {
        PackageConfig {
            name: self.name,
            app_id: self.app_id,
            users: self.users,
            target_sdk: self.target_sdk,
            permissions: self.permissions,
            app_ops: self.app_ops.into_iter().map(|(op, mode)| (op, mode.word().to_owned())).collect(),
            request_legacy_storage: self.legacy_storage,
            request_raw_access: self.raw_access,
            scoped_storage: self.scoped_storage,
            shared_uid: self.shared_uid,
            instant: self.instant,
        }
    }
}

fn list(connection: &Connection, json: bool) -> Result<String, Failure> {
    let packages = connection.open()?.packages()?;
    if json {
        return output::json(&packages);
    }
    let rows: Vec<_> = packages
        .into_iter()
        .map(|p| {
            let permissions = p.package.permissions.iter().cloned();
            let ops = p.package.app_ops.iter().map(|(op, mode)| format!("{op}={mode}"));
            let may: Vec<String> = permissions.chain(ops).collect();
            let sdk = p.package.target_sdk.to_string();
            [p.package.name, output::numbers(&p.uids), sdk, p.source, may.join(" ")]
        })
        .collect();
    Ok(output::table(["NAME", "UIDS", "SDK", "SOURCE", "PERMISSIONS AND APP OPS"], &rows))
}

/// The uid that a package has in a user.
pub(super) fn uid(client: &Client, name: &str, user: u32) -> Result<u32, Failure> {
    let packages = client.packages()?;
    let Some(package) = packages.iter().find(|p| p.package.name == name) else {
        return Err(Failure::Failed(format!(
            "there is no package {name} that you may see; `mediagate package list` shows those there are"
        )));
    };
    let uid = user.checked_mul(100_000).and_then(|base| base.checked_add(package.package.app_id));
    uid.filter(|uid| package.uids.contains(uid)).ok_or_else(|| {
        let users = output::numbers(&package.package.users);
        Failure::Failed(format!(
            "{name} is not installed for user {user}, only for {users}; choose with --user"
        ))
    })
}
