//! The `[[user]]` tables: which users are profiles, and whose.

use super::check;
use super::file::Seen;
use super::reader::{At, Report, Table};
use super::types::{UserConfig, UserKindConfig, default_true};

/// A user, and where its number and its parent stand.
struct Site {
    user: UserConfig,
    label: String,
    parent: Option<usize>,
}

pub(super) fn users(report: &mut Report<'_>, tables: Vec<Table<'_>>) -> Vec<UserConfig> {
    let mut ids = Seen::default();
    let sites: Vec<Site> = tables.into_iter().filter_map(|table| user(report, table, &mut ids)).collect();
    let users: Vec<UserConfig> = sites.iter().map(|site| site.user).collect();
    for site in &sites {
        let (Some(parent), Some(at)) = (site.user.parent, site.parent) else { continue };
        let nested = users.iter().find(|it| it.id == parent && it.kind != UserKindConfig::Full);
        if let Some(nested) = nested.filter(|_| parent != site.user.id) {
            let instead = nested.parent.unwrap_or(0);
            report.add(
                at,
                format!(
                    "{}: user {parent} is a profile itself, and profiles have none; write the user it belongs to, \
                     e.g. parent = {instead}",
                    site.label
                ),
            );
        }
    }
    users
}

fn user(report: &mut Report<'_>, mut table: Table<'_>, ids: &mut Seen<u32>) -> Option<Site> {
    table.require(report, "id", "10");
    let id = number(report, &mut table, "id");
    if let Some(id) = &id {
        table.label = format!("{} {}", table.label, id.value);
        if let Some(before) = ids.before(&id.value, id.at) {
            let line = report.line(before);
            let complaint = format!(
                "{}: the user is there already (line {line}); write another or remove one",
                table.label
            );
            report.add(id.at, complaint);
        }
    }
    let label = table.label.clone();
    let stated = table.string(report, "kind", "\"clone\"");
    let is_bad = stated.is_some();
    let kind = stated.and_then(|kind| {
        let at = kind.at;
        report.check(at, &label, check::user_kind(&kind.value)).map(|value| At { value, at })
    });
    let has_parent = table.has("parent");
    let parent = number(report, &mut table, "parent");
    let usb = table.boolean(report, "usb_file_transfer");
    match (&kind, &parent) {
        // A kind that is none says nothing about parents.
        (None, _) if is_bad => {}
        (None | Some(At { value: UserKindConfig::Full, .. }), Some(parent)) => report.add(
            parent.at,
            format!(
                "{label}: a full user has no parent; write kind = \"clone\" or kind = \"work\" for a profile, or \
                 leave parent out"
            ),
        ),
        (Some(At { value: UserKindConfig::Clone | UserKindConfig::Work, at }), None) if !has_parent => {
            report.add(*at, format!("{label}: a profile belongs to a user; add for example parent = 0"));
        }
        _ => {}
    }
    if let (Some(id), Some(parent)) = (&id, &parent)
        && id.value == parent.value
    {
        report.add(
            parent.at,
            format!(
                "{label}: a profile is not its own parent; write the user it belongs to, e.g. parent = 0"
            ),
        );
    }
    if let (Some(At { value: 0, .. }), Some(kind)) = (&id, &kind)
        && kind.value != UserKindConfig::Full
    {
        report.add(
            kind.at,
            format!("{label}: user 0 is nobody's profile; leave kind out, or write another id"),
        );
    }
    table.finish(report);
    let user = UserConfig {
        id: id?.value,
        kind: kind.map_or_else(UserKindConfig::default, |it| it.value),
        parent: parent.as_ref().map(|it| it.value),
        usb_file_transfer: usb.map_or_else(default_true, |it| it.value),
    };
    Some(Site { user, label, parent: parent.map(|it| it.at) })
}

fn number(report: &mut Report<'_>, table: &mut Table<'_>, key: &'static str) -> Option<At<u32>> {
    let found = table.integer(report, key, (0, i64::from(check::MAX_USER)))?;
    Some(At { value: u32::try_from(found.value).ok()?, at: found.at })
}
