//! The golden vectors: every cell of the tables T1 to T9, and the rules they do not show.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(test)]
mod cells;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod run;
#[cfg(test)]
mod schema;

use std::collections::BTreeSet;

use mediagate_policy::{Reason, VolumeKind};
use schema::{Callers, Table};

#[test]
fn every_vector_is_decided_as_the_tables_say() {
    let callers = Callers::load();
    let tables = schema::tables();
    let mut wrong = Vec::new();
    let mut count = 0;
    for vector in tables.iter().flat_map(|it| &it.rows).flat_map(|it| it.expand(&callers)) {
        let mut volumes = vec![VolumeKind::Emulated];
        if vector.holds_on_public_volumes() {
            volumes.push(VolumeKind::Public);
        }
        for volume in volumes {
            count += 1;
            let answer = run::run(&callers, &vector, volume);
            if answer.outcome != vector.expected {
                wrong.push(format!(
                    "{} ({:?}, {volume:?}): {} by {:?}, but {} says {}",
                    vector.id,
                    vector.path,
                    answer.outcome,
                    answer.reasons,
                    vector.row.source,
                    vector.expected
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 35_000, "only {count} vectors");
}

#[test]
fn the_files_are_well_formed() {
    let callers = Callers::load();
    let tables: Vec<Table> = schema::tables();
    let mut ids = BTreeSet::new();
    for row in tables.iter().flat_map(|it| &it.rows) {
        assert!(ids.insert(&row.id), "{} stands twice", row.id);
        assert!(!row.source.is_empty() && !row.op.is_empty() && !row.paths.is_empty(), "{}", row.id);
        let shown = row.mount && row.mounted.is_empty();
        assert_eq!(shown, row.why.is_none(), "{}: `why` belongs to `mount = false` and `mounted`", row.id);
        assert_eq!(row.to.is_empty(), row.op != ["rename"], "{}: `to` belongs to rename", row.id);
        let mut spoken_of = BTreeSet::new();
        for (caller, _) in row.expectations(&callers) {
            assert!(spoken_of.insert(&caller.name), "{} speaks twice of {}", row.id, caller.name);
        }
        for (caller, _) in row.overrides(&callers) {
            assert!(spoken_of.remove(&caller.name), "{}: `mounted` is no news of {}", row.id, caller.name);
        }
    }
    assert!(
        tables.iter().all(|it| !it.title.is_empty()) && callers.callers.iter().all(|it| !it.about.is_empty())
    );
}

#[test]
fn every_row_speaks_of_every_caller() {
    let callers = Callers::load();
    for row in schema::tables().iter().flat_map(|it| &it.rows) {
        assert_eq!(row.expectations(&callers).len(), callers.callers.len(), "{}", row.id);
    }
}

/// Rules that no vector meets, because the kernel never asks for what they refuse.
const UNMET: [Reason; 3] = [Reason::WrongKind, Reason::NotInATree, Reason::NoRule];

#[test]
fn every_rule_decides_some_vector() {
    let callers = Callers::load();
    let tables = schema::tables();
    let met: BTreeSet<Reason> = tables
        .iter()
        .flat_map(|it| &it.rows)
        .flat_map(|it| it.expand(&callers))
        .flat_map(|vector| run::run(&callers, &vector, VolumeKind::Emulated).reasons)
        .collect();
    let unmet: Vec<Reason> =
        Reason::ALL.iter().copied().filter(|it| !met.contains(it) && !UNMET.contains(it)).collect();
    assert_eq!(unmet, []);
}
