//! The tables of which there may be many: `[[volume]]` and `[[package]]`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::check;
use super::file::{Seen, distinct};
use super::overlap::Map;
use super::reader::{At, Report, Table};
use super::types::{
    PackageConfig, VolumeConfig, VolumeKindConfig, default_target_sdk, default_true, default_users,
};

/// Where a volume's directories stand in the file, for complaints about pairs of them.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) label: String,
    pub(super) lower: usize,
    pub(super) mount: usize,
}

/// Who has an app id: the first package's name, where it says so, and whether it shares.
pub(super) type AppIds = HashMap<u32, (String, usize, bool)>;

/// Reads the name of a table and puts it into the table's label.
fn name(
    report: &mut Report<'_>,
    table: &mut Table<'_>,
    names: &mut Seen<String>,
    example: &str,
    check: impl Fn(&str) -> Result<(), String>,
) -> Option<String> {
    let name = table.required_string(report, "name", example)?;
    table.label = format!("{} {:?}", table.label, name.value);
    report.check(name.at, &table.label, check(&name.value));
    if let Some(before) = names.before(&name.value, name.at) {
        let line = report.line(before);
        report.add(
            name.at,
            format!("{}: the name is there already (line {line}); write another or remove one", table.label),
        );
    }
    Some(name.value)
}

/// Reads `users`; `so` is what none of them means.
fn users(report: &mut Report<'_>, table: &mut Table<'_>, so: &str) -> Option<At<Vec<u32>>> {
    let before = report.len();
    let users = table.integers(report, "users", check::MAX_USER, "[0]")?;
    // Without elements, that is, not without good ones.
    if users.value.is_empty() && report.len() == before {
        report.add(users.at, format!("{}: users is empty, so {so}; write users = [0]", table.label));
    }
    Some(At { value: distinct(report, &table.label, "user", users.value), at: users.at })
}

pub(super) fn volume(
    report: &mut Report<'_>,
    mut table: Table<'_>,
    names: &mut Seen<String>,
    map: &mut Map,
    sites: &mut Vec<Site>,
) -> Option<VolumeConfig> {
    let name = name(report, &mut table, names, "\"external_primary\"", check::volume_name);
    let label = table.label.clone();
    let kind = table.required_string(report, "kind", "\"emulated\"");
    let kind = kind.and_then(|kind| report.check(kind.at, &label, check::volume_kind(&kind.value)));
    let lower = table.required_string(report, "lower", "\"/data/media\"");
    if let Some(lower) = &lower {
        report.check(lower.at, &label, check::lower(Path::new(&lower.value)));
    }
    let mount = table.required_string(report, "mount", "\"/storage/emulated\"");
    if let Some(mount) = &mount {
        report.check(mount.at, &label, check::path("mount", Path::new(&mount.value)));
    }
    let users = users(report, &mut table, "nobody is served");
    if let (Some(users), Some(VolumeKindConfig::Public)) = (&users, kind) {
        report.add(users.at, format!("{label}: {}", check::users_on_public()));
    }
    let users = match (users, kind) {
        (Some(users), _) => users.value,
        (None, Some(VolumeKindConfig::Emulated)) => default_users(),
        (None, _) => Vec::new(),
    };
    let owner = table.string(report, "owner", "\"media_rw:media_rw\"");
    if let Some(owner) = &owner {
        report.check(owner.at, &label, check::resolve_owner(&owner.value));
    }
    let passthrough = table.boolean(report, "passthrough");
    let cache_seconds = table.integer(report, "cache_seconds", check::CACHE_SECONDS);
    let watch = table.string(report, "watch", "\"auto\"");
    let watch = watch.and_then(|watch| report.check(watch.at, &label, check::watch(&watch.value)));

    // Relative paths have been refused above; resolved against the working directory they would mean nothing.
    let place = |path: &Option<At<String>>| {
        path.as_ref().map(|it| PathBuf::from(&it.value)).filter(|it| it.is_absolute())
    };
    let at = |path: &Option<At<String>>| path.as_ref().map_or(table.at, |it| it.at);
    sites.push(Site { label, lower: at(&lower), mount: at(&mount) });
    map.add(name.as_deref().unwrap_or_default(), place(&lower).as_deref(), place(&mount).as_deref());
    table.finish(report);
    Some(VolumeConfig {
        name: name?,
        kind: kind?,
        lower: PathBuf::from(lower?.value),
        mount: PathBuf::from(mount?.value),
        users,
        owner: owner.map(|it| it.value),
        passthrough: passthrough.map_or_else(default_true, |it| it.value),
        cache_seconds: cache_seconds.and_then(|it| i32::try_from(it.value).ok()),
        watch: watch.unwrap_or_default(),
    })
}

pub(super) fn package(
    report: &mut Report<'_>,
    mut table: Table<'_>,
    listed: bool,
    names: &mut Seen<String>,
    app_ids: &mut AppIds,
) -> Option<PackageConfig> {
    let name = name(report, &mut table, names, "\"com.example.camera\"", check::package_name);
    let label = table.label.clone();
    if !listed {
        table.require(report, "app_id", "10101");
    }
    let app_id = table.integer(report, "app_id", (0, i64::from(u32::MAX)));
    let app_id = app_id.and_then(|it| {
        let value = u32::try_from(it.value).ok()?;
        report.check(it.at, &label, check::app_id(value).map(|()| At { value, at: it.at }))
    });
    let users = users(report, &mut table, "it is installed nowhere");
    let users = users.map_or_else(default_users, |it| it.value);
    let shared_uid = table.boolean(report, "shared_uid").is_some_and(|it| it.value);
    // With packages.list it is the package manager who gives out app ids.
    if let Some(id) = app_id.as_ref().filter(|_| !listed) {
        share(report, &label, name.as_deref().unwrap_or_default(), id, shared_uid, app_ids);
    }
    let target_sdk = table.integer(report, "target_sdk", check::TARGET_SDK);
    let permissions = table.strings(report, "permissions", "[\"READ_MEDIA_IMAGES\"]");
    let permissions = permissions.map_or_else(Vec::new, |it| it.value).into_iter().filter_map(|it| {
        let checked = report.check(it.at, &label, check::permission(&it.value))?;
        Some(At { value: checked.name(), at: it.at })
    });
    let permissions: Vec<_> = permissions.collect();
    let permissions = distinct(report, &label, "permission", permissions);
    let mut app_ops = BTreeMap::new();
    for (op, mode) in table.pairs(report, "app_ops", "{ MANAGE_EXTERNAL_STORAGE = \"allow\" }") {
        let checked = report.check(op.at, &label, check::app_op(&op.value));
        let mode = report.check(mode.at, &label, check::op_mode(&mode.value));
        if let (Some(checked), Some(mode)) = (checked, mode)
            && app_ops.insert(checked.name().to_owned(), mode.name().to_owned()).is_some()
        {
            report.add(op.at, format!("{label}: app op {checked} is there already; remove one"));
        }
    }
    let legacy = table.boolean(report, "request_legacy_storage");
    let raw = table.boolean(report, "request_raw_access");
    let scoped = table.boolean(report, "scoped_storage");
    let instant = table.boolean(report, "instant");
    table.finish(report);
    Some(PackageConfig {
        name: name?,
        app_id: app_id.map_or(0, |it| it.value),
        users,
        shared_uid,
        target_sdk: target_sdk.and_then(|it| u32::try_from(it.value).ok()).unwrap_or_else(default_target_sdk),
        permissions: permissions.into_iter().map(str::to_owned).collect(),
        app_ops,
        request_legacy_storage: legacy.is_some_and(|it| it.value),
        request_raw_access: raw.map(|it| it.value),
        scoped_storage: scoped.map(|it| it.value),
        instant: instant.is_some_and(|it| it.value),
    })
}

/// Notes who has an app id, and complains when two have it and not both say that they share it.
fn share(
    report: &mut Report<'_>,
    label: &str,
    name: &str,
    app_id: &At<u32>,
    shares: bool,
    app_ids: &mut AppIds,
) {
    let Some((first, before, first_shares)) = app_ids.get(&app_id.value) else {
        app_ids.insert(app_id.value, (name.to_owned(), app_id.at, shares));
        return;
    };
    if !shares || !first_shares {
        let line = report.line(*before);
        let complaint = format!(
            "{label}: app_id {} is {first:?}'s already (line {line}); write another, or shared_uid = true in \
             both packages if they are to have one uid",
            app_id.value
        );
        report.add(app_id.at, complaint);
    }
}
