//! The golden vectors of `policy/vectors`, carried out on mounted volumes by processes with the callers' uids, and
//! asked of `explain`. Two volumes, two ways to prepare what stands there, two ways to cache:
//!
//! * an emulated one, prepared through the mount, so that the kernel may keep everything for ever: whatever it keeps
//!   too long shows up as a wrong cell;
//! * a public one, prepared on the lower file system behind the mount, with caches of no length.
//!
//! Every difference is reported, not only the first. On the public volume each third vector is carried out, and all of them with
//! `MEDIAGATE_ALL_VECTORS` in the environment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod act;
mod asked;
mod give;
#[path = "../../../policy/tests/vectors/schema.rs"]
#[allow(dead_code, reason = "the policy crate's own tests read all of it")]
mod schema;
mod stage;

use std::collections::BTreeMap;

use give::{give, is_about_grants, take};
use mediagate::binder::Client;
use mediagate::config::{UserConfig, UserKindConfig, VolumeKindConfig};
use mediagate_tests::{Package, World};
use schema::{Callers, Vector, WhoseTree};
use stage::{Stage, Way};

/// The users of the emulated volume, as `users.toml` has them.
const USERS: [WhoseTree; 5] =
    [WhoseTree::Main, WhoseTree::Other, WhoseTree::Clone, WhoseTree::Work, WhoseTree::Restricted];
/// App ids of the packages that are nobody's among the callers.
const OTHER_APP: u32 = 10_301;
const NOBODY_APP: u32 = 10_302;

#[test]
fn an_emulated_volume_answers_as_the_tables_say() {
    let callers = Callers::load();
    let mut world = World::new(&packages(&callers));
    world.config.volumes[0].users = numbers();
    world.config.volumes[0].cache_seconds = Some(-1);
    world.config.users = USERS.into_iter().map(user).collect();
    world.start();
    let counts = run(&world, &callers, Stage::new(&world.config.volumes[0], &callers, Way::Through));
    counts.report("emulated");
    assert!(counts.ran > 15_000 && counts.asked > 11_000, "{} ran, {} asked", counts.ran, counts.asked);
}

#[test]
fn a_public_volume_answers_as_the_tables_say() {
    let callers = Callers::load();
    let mut world = World::new(&packages(&callers));
    world.add_volume("sdcard", VolumeKindConfig::Public);
    world.config.volumes[1].cache_seconds = Some(0);
    world.start();
    let counts = run(&world, &callers, Stage::new(&world.config.volumes[1], &callers, Way::Below));
    counts.report("public");
    assert!(counts.ran > 6000 && counts.asked > 5500, "{} ran, {} asked", counts.ran, counts.asked);
}

fn numbers() -> Vec<u32> {
    USERS.into_iter().map(|it| it.user(WhoseTree::Main)).collect()
}

fn user(whose: WhoseTree) -> UserConfig {
    let (kind, parent) = match whose {
        WhoseTree::Clone => (UserKindConfig::Clone, Some(0)),
        WhoseTree::Work => (UserKindConfig::Work, Some(0)),
        WhoseTree::Own | WhoseTree::Main | WhoseTree::Other | WhoseTree::Restricted => {
            (UserKindConfig::Full, None)
        }
    };
    let usb_file_transfer = whose != WhoseTree::Restricted;
    UserConfig { id: whose.user(WhoseTree::Main), kind, parent, usb_file_transfer }
}

/// The callers' packages, the one that others' files belong to, and the one that stands for callers without one.
fn packages(callers: &Callers) -> Vec<Package> {
    let plain = |name: &str, app_id| Package::new(name, app_id).users(&numbers());
    let mut packages = vec![plain(&callers.other, OTHER_APP), plain(&callers.nobody, NOBODY_APP)];
    for caller in &callers.callers {
        let Some(name) = &caller.package else { continue };
        let mut package = plain(name, caller.app_id).target_sdk(caller.target_sdk.unwrap());
        package.0.permissions.clone_from(&caller.permissions);
        package.0.app_ops.clone_from(&caller.app_ops);
        package.0.request_legacy_storage = caller.requests_legacy_storage;
        package.0.request_raw_access = caller.requests_raw_access;
        package.0.scoped_storage = caller.scoped_storage;
        package.0.instant = caller.instant;
        if let Some(first) = &caller.first_package {
            package.0.shared_uid = true;
            let mut first = plain(first, caller.app_id).target_sdk(caller.target_sdk.unwrap());
            first.0.shared_uid = true;
            packages.push(first);
        }
        packages.push(package);
    }
    packages
}

#[derive(Default)]
struct Counts {
    vectors: usize,
    ran: usize,
    asked: usize,
    granted: usize,
    skipped: BTreeMap<String, usize>,
}

impl Counts {
    fn report(&self, volume: &str) {
        println!(
            "{volume}: {} vectors, {} carried out, {} asked of explain, {} about grants",
            self.vectors, self.ran, self.asked, self.granted
        );
        for (why, count) in &self.skipped {
            println!("  {count} not carried out: {why}");
        }
        assert_eq!(self.ran + self.skipped.values().sum::<usize>(), self.vectors);
        assert!(self.ran * 100 >= self.vectors * 97, "more than a few were not carried out");
    }
}

fn run(world: &World, callers: &Callers, mut stage: Stage<'_>) -> Counts {
    let client = Client::connect(&world.config.service.listen[0]).unwrap();
    let tables = schema::tables();
    let (mut counts, mut wrong) = (Counts::default(), Vec::new());
    // The rules of a public volume are those of the other one, but for what the vectors of their own name.
    let (all, mut seen) = (std::env::var_os("MEDIAGATE_ALL_VECTORS").is_some(), 0_usize);
    for vector in tables.iter().flat_map(|it| &it.rows).flat_map(|it| it.expand(callers)) {
        if stage.is_public() && !vector.holds_on_public_volumes() {
            continue;
        }
        seen += 1;
        if stage.is_public() && !all && seen % 3 != 0 {
            continue;
        }
        counts.vectors += 1;
        if !vector.row.mount {
            let why = vector.row.why.clone().expect("a reason");
            *counts.skipped.entry(why).or_default() += 1;
            continue;
        }
        stage.prepare(&vector);
        if is_about_grants(&vector) {
            counts.granted += 1;
            give(&client, &stage, &vector);
        }
        counts.ran += 1;
        if let Some(answer) = asked::ask(&client, &stage, &vector) {
            counts.asked += 1;
            note(&mut wrong, &vector, "explain says", &answer, &asked::expected(&vector));
        }
        let answer = act::act(&mut stage, &vector);
        note(&mut wrong, &vector, "got", &answer, act::expected(&vector));
        stage.clear(&vector);
        if is_about_grants(&vector) {
            take(&client, &vector);
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), counts.ran, wrong.join("\n"));
    counts
}

fn note(wrong: &mut Vec<String>, vector: &Vector<'_>, who: &str, got: &str, expected: &str) {
    if got != expected {
        wrong.push(format!(
            "{} ({:?}{}): {who} {got}, but {} says {expected}",
            vector.id,
            vector.path,
            vector.to.as_ref().map(|to| format!(" to {to:?}")).unwrap_or_default(),
            vector.row.source
        ));
    }
}
