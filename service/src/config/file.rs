//! From TOML text to a checked [`Config`].
//!
//! Each table is read whole even after a mistake, so that one run shows everything that is wrong. Nothing is
//! returned once a mistake has been noted.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::check;
use super::error::{ConfigError, Mistakes};
use super::overlap::{Map, Role};
use super::reader::{At, Report, Table};
use super::suggest;
use super::tables::{AppIds, Site, package, volume};
use super::types::{
    BackingFilesConfig, Config, PolicyProfile, ServiceConfig, default_admin_uids, default_busy_poll_us,
    default_maintenance_hours,
};
use super::users::users;

/// Reads and checks the configuration file at `path`.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let bytes = std::fs::read(path).map_err(|cause| ConfigError::Read { file: path.to_owned(), cause })?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => parse(text, path),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let mut report = Report::new(path, &good);
            report.add(good.len(), "this line is not UTF-8 text, which TOML must be; save the file as UTF-8");
            Err(ConfigError::Mistakes(report.finish()))
        }
    }
}

/// Checks the configuration in `text`; `path` is what messages call it.
pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
    check_file(text, path).map_err(ConfigError::Mistakes)
}

fn check_file(text: &str, path: &Path) -> Result<Config, Mistakes> {
    let mut report = Report::new(path, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        report.add(at, format!("not valid TOML: {}{}", error.message(), quote(text, at)));
    }
    if !errors.is_empty() {
        // What the parser made of the rest is a guess, and so would be every complaint about it.
        return Err(report.finish());
    }

    let mut root = Table::new(document.get_ref(), 0, "configuration");
    let mut map = Map::default();
    let mut sites: Vec<Site> = Vec::new();
    let service = root.table(&mut report, "service", "[service]");
    let tables = root.tables(&mut report, "user", "[[user]]");
    let users = users(&mut report, tables);
    let mut names = Seen::default();
    let tables = root.tables(&mut report, "volume", "[[volume]]").into_iter();
    let volumes =
        tables.filter_map(|table| volume(&mut report, table, &mut names, &mut map, &mut sites)).collect();
    for collision in map.collisions() {
        let site = &sites[collision.volume];
        let at = match collision.role {
            Role::Lower => site.lower,
            Role::Mount => site.mount,
        };
        report.add(at, format!("{}: {}", site.label, collision.text));
    }
    let service = match service {
        Some(table) => service_table(&mut report, table, &map),
        None => {
            report.add(0, "there is no [service] table; add one with state_dir = \"/var/lib/mediagate\"");
            None
        }
    };
    // Looked at in the text, so that a mistake elsewhere in [service] does not raise others here.
    let listed =
        document.get_ref().get("service").is_some_and(|it| it.get_ref().get("packages_list").is_some());
    let mut names = Seen::default();
    let mut app_ids = AppIds::default();
    let tables = root.tables(&mut report, "package", "[[package]]").into_iter();
    let packages =
        tables.filter_map(|table| package(&mut report, table, listed, &mut names, &mut app_ids)).collect();
    root.finish(&mut report);

    match service {
        Some(service) if report.len() == 0 => Ok(Config { service, users, volumes, packages }),
        _ => Err(report.finish()),
    }
}

/// The line at byte `at`, to be shown behind a syntax error.
fn quote(text: &str, at: usize) -> String {
    let bytes = text.as_bytes();
    let at = at.min(bytes.len());
    let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |it| it + 1);
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default().trim();
    if line.is_empty() || line.chars().count() > 100 { String::new() } else { format!(", in: {line}") }
}

/// Values of which each may be there once, and where the first of each stands.
#[derive(Debug)]
pub(super) struct Seen<T>(HashMap<T, usize>);

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Seen(HashMap::new())
    }
}

impl<T: Eq + Hash + Clone> Seen<T> {
    /// Notes that `value` stands at byte `at`; returns where it stood before.
    pub(super) fn before(&mut self, value: &T, at: usize) -> Option<usize> {
        match self.0.get(value) {
            Some(before) => Some(*before),
            None => {
                self.0.insert(value.clone(), at);
                None
            }
        }
    }
}

/// The values of a list in which nothing may be there twice.
pub(super) fn distinct<T>(report: &mut Report<'_>, label: &str, what: &str, list: Vec<At<T>>) -> Vec<T>
where
    T: Eq + Hash + Clone + std::fmt::Debug,
{
    let mut seen = Seen::default();
    for item in &list {
        if let Some(before) = seen.before(&item.value, item.at) {
            let (value, line) = (&item.value, report.line(before));
            report.add(
                item.at,
                format!("{label}: {what} {value:?} is there already (line {line}); remove one"),
            );
        }
    }
    list.into_iter().map(|item| item.value).collect()
}

fn service_table(report: &mut Report<'_>, mut table: Table<'_>, map: &Map) -> Option<ServiceConfig> {
    let label = table.label.clone();
    let example = "\"/var/lib/mediagate\"";
    let state_dir = table.required_string(report, "state_dir", example);
    if let Some(dir) = &state_dir {
        let path = Path::new(&dir.value);
        let checked = check::path("state_dir", path).and_then(|()| match map.holder(path) {
            Some(holder) => Err(format!(
                "state_dir {path:?} is inside {holder}, where apps would meet it; write a directory outside of \
                 every volume, e.g. {example}"
            )),
            None => Ok(()),
        });
        report.check(dir.at, &label, checked);
    }
    let listen = table.strings(report, "listen", "[\"unix:///run/mediagate/mediagate.sock\"]");
    let listen = listen.map_or_else(Vec::new, |list| list.value);
    for address in &listen {
        let checked = check::listen(&address.value).and_then(|socket| {
            match socket.and_then(|socket| map.holder(socket)) {
                Some(holder) => Err(format!(
                    "listen {:?} is inside {holder}; write a path outside of every volume, e.g. \
                     \"unix:///run/mediagate/mediagate.sock\"",
                    address.value
                )),
                None => Ok(()),
            }
        });
        report.check(address.at, &label, checked);
    }
    let listen = distinct(report, &label, "listen address", listen);
    let profile = table.string(report, "policy_profile", "\"android\"");
    if let Some(profile) = profile.filter(|it| it.value != "android") {
        let instead = suggest::instead(&profile.value, ["android"].into_iter());
        report.add(
            profile.at,
            format!("{label}: policy_profile {:?} does not exist; {instead}", profile.value),
        );
    }
    let packages_list = table.string(report, "packages_list", "\"/data/system/packages.list\"");
    if let Some(file) = &packages_list {
        report.check(file.at, &label, check::packages_list(Path::new(&file.value)));
    }
    let admins = table.integers(report, "admin_uids", u32::MAX - 1, "[0, 1000]");
    let admin_uids = match admins {
        Some(list) => distinct(report, &label, "uid", list.value),
        None => default_admin_uids(),
    };
    let threads = table.integer(report, "threads", check::THREADS);
    let busy_poll = table.integer(report, "busy_poll_us", check::BUSY_POLL_US);
    let maintenance = table.integer(report, "maintenance_hours", check::MAINTENANCE_HOURS);
    let quota_projects = table.boolean(report, "quota_projects");
    let backing_files = match table.table(report, "backing_files", "[service.backing_files]") {
        Some(table) => backing_files(report, table),
        None => BackingFilesConfig::default(),
    };
    table.finish(report);
    Some(ServiceConfig {
        state_dir: PathBuf::from(state_dir?.value),
        listen,
        policy_profile: PolicyProfile::Android,
        packages_list: packages_list.map(|file| PathBuf::from(file.value)),
        admin_uids,
        threads: threads.and_then(|threads| usize::try_from(threads.value).ok()),
        busy_poll_us: busy_poll
            .and_then(|longest| u32::try_from(longest.value).ok())
            .unwrap_or_else(default_busy_poll_us),
        maintenance_hours: maintenance
            .and_then(|hours| u32::try_from(hours.value).ok())
            .unwrap_or_else(default_maintenance_hours),
        quota_projects: quota_projects.is_some_and(|it| it.value),
        backing_files,
    })
}

fn backing_files(report: &mut Report<'_>, mut table: Table<'_>) -> BackingFilesConfig {
    let bounds = (0, i64::from(u32::MAX));
    let defaults = BackingFilesConfig::default();
    let bound = |table: &mut Table<'_>, report: &mut Report<'_>, key| {
        let found = table.integer(report, key, bounds)?;
        Some(At { value: u32::try_from(found.value).ok()?, at: found.at })
    };
    let max = bound(&mut table, report, "max");
    let per_uid = bound(&mut table, report, "max_per_uid");
    let limit = max.map_or(defaults.max, |it| it.value);
    if let Some(share) = per_uid.as_ref().filter(|share| share.value > limit) {
        report.add(
            share.at,
            format!(
                "{}: max_per_uid {} is more than max {limit}; write max_per_uid = {limit} or less, or raise max",
                table.label, share.value
            ),
        );
    }
    table.finish(report);
    // A smaller max alone bounds every uid's share, too.
    let max_per_uid = per_uid.map_or(defaults.max_per_uid.min(limit), |it| it.value);
    BackingFilesConfig { max: limit, max_per_uid }
}
