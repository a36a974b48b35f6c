//! Android's `/data/system/packages.list`.
//!
//! The package manager writes one line for each installed package (frameworks/base,
//! `com.android.server.pm.Settings.writePackageListLPrInternal`), fields separated by one space:
//!
//! ```text
//! name appId debuggable dataDir seinfo gids profileableFromShell longVersionCode profileable installer
//! ```
//!
//! `seinfo` ends with `:targetSdkVersion=N` since Android 8; `gids` is `none` or numbers with commas; older versions
//! stop after an earlier field, no version before the fourth. The file is written under another name and renamed.
//! Which user has a package, and its permissions, are not in it: permissions, target SDK level and app ops are
//! joined from the configuration's `[[package]]` tables by name.
//!
//! A line that is not understood is skipped. A file without any package is an error: somebody is just writing it, or it is
//! not the list.

use std::collections::{HashMap, HashSet};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mediagate_policy::{AppId, PackageFacts, Uid};

use crate::config::{PackageConfig, check_package_name, is_package_app_id};

use super::error::IdentityError;
use super::record::{PackageRecord, Users, facts};
use super::source::PackageSource;
use super::watch::{self, WatchGuard};

/// What `package list` calls this source.
pub(super) const NAME: &str = "packages.list";
/// A real line has about 200 bytes and a device a thousand packages.
const MAX_FILE: u64 = 64 << 20;
/// A name has at most 223 bytes, a path at most 4095, and the rest is short.
const MAX_LINE: usize = 16 << 10;
/// Skipped lines that are reported one by one; beyond that only their number is.
const MAX_WARNINGS: usize = 20;
/// The level of a package of which nothing says its own: one at which permissions mean as little as possible.
const UNKNOWN_TARGET_SDK: u32 = 34;

/// The packages of a `packages.list` file.
#[derive(Debug)]
pub struct PackagesListSource {
    file: PathBuf,
    configured: HashMap<String, PackageFacts>,
}

impl PackagesListSource {
    /// The packages listed in `file`, with the permissions that `packages` gives them.
    pub fn new(file: &Path, packages: &[PackageConfig]) -> PackagesListSource {
        let configured = packages.iter().map(|it| (it.name.clone(), facts(it))).collect();
        PackagesListSource { file: file.to_owned(), configured }
    }

    fn parse(&self, text: &[u8]) -> Vec<PackageRecord> {
        let mut records = Vec::new();
        let mut names = HashSet::new();
        let mut skipped = 0;
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let complaint = match parse_line(line) {
                Ok(listed) if names.insert(listed.name) => {
                    records.push(self.join(&listed));
                    continue;
                }
                Ok(_) => "its package was listed before",
                Err(complaint) => complaint,
            };
            skipped += 1;
            if skipped <= MAX_WARNINGS {
                log::warn!("{}:{}: line skipped: {complaint}", self.file.display(), index + 1);
            }
        }
        if skipped > MAX_WARNINGS {
            log::warn!("{}: {} more lines skipped", self.file.display(), skipped - MAX_WARNINGS);
        }
        records
    }

    fn join(&self, listed: &Listed<'_>) -> PackageRecord {
        let facts = self.configured.get(listed.name).cloned().unwrap_or_else(|| PackageFacts {
            name: Arc::from(listed.name),
            target_sdk: listed.target_sdk.unwrap_or(UNKNOWN_TARGET_SDK),
            permissions: mediagate_policy::PermissionSet::EMPTY,
            app_ops: mediagate_policy::AppOps::default(),
            requests_legacy_storage: false,
            requests_raw_access: None,
            scoped_storage: None,
            instant: false,
        });
        PackageRecord {
            facts,
            app_id: listed.app_id.0,
            users: Users::Every,
            // The package manager has checked who may share.
            shared_uid: true,
            source: NAME,
        }
    }
}

impl PackageSource for PackagesListSource {
    fn name(&self) -> &'static str {
        NAME
    }

    fn load(&self) -> Result<Vec<PackageRecord>, IdentityError> {
        let failed = |cause| IdentityError::Read { file: self.file.clone(), cause };
        // A FIFO in its place must not hold the caller up.
        let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(&self.file);
        let file = file.map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(failed(ErrorKind::InvalidInput.into()));
        }
        let mut text = Vec::new();
        file.take(MAX_FILE + 1).read_to_end(&mut text).map_err(failed)?;
        if text.len() as u64 > MAX_FILE {
            return Err(IdentityError::TooLarge { file: self.file.clone(), limit: MAX_FILE });
        }
        let records = self.parse(&text);
        if records.is_empty() {
            // Taken at its word it would take away what every app owns.
            return Err(IdentityError::Empty { file: self.file.clone() });
        }
        Ok(records)
    }

    fn watch(&self, changed: Box<dyn Fn() + Send + Sync>) -> Result<Option<WatchGuard>, IdentityError> {
        watch::watch_file(&self.file, changed).map(Some)
    }
}

/// What one line says.
#[derive(Debug, PartialEq, Eq)]
struct Listed<'a> {
    name: &'a str,
    app_id: AppId,
    target_sdk: Option<u32>,
}

fn parse_line(line: &[u8]) -> Result<Listed<'_>, &'static str> {
    if line.len() > MAX_LINE {
        return Err("it is longer than any real one");
    }
    let text = std::str::from_utf8(line).map_err(|_| "it is not text")?;
    let mut fields = text.split(' ');
    let (Some(name), Some(id), Some(_), Some(_)) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err("it has fewer than four fields");
    };
    check_package_name(name).map_err(|_| "it does not begin with a package's name")?;
    let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let uid = id.parse().ok().filter(|_| digits).ok_or("its second field is not a uid")?;
    let app_id = Uid(uid).app_id();
    if !is_package_app_id(app_id.0) {
        return Err("its uid is not one that packages have");
    }
    let seinfo = fields.next().unwrap_or_default();
    let target_sdk = seinfo.split(':').find_map(|part| part.strip_prefix("targetSdkVersion=")?.parse().ok());
    Ok(Listed { name, app_id, target_sdk })
}

#[cfg(test)]
#[path = "packages_list_tests.rs"]
mod tests;
