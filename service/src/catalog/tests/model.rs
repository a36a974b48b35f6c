//! Random writes against a map that does the obvious.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Directories that tempt a prefix, a pattern or a text conversion into a mistake.
const DIRS: &[&[u8]] = &[
    b"",
    b"a",
    b"ab",
    b"a0",
    b"a.",
    b"a/b",
    b"a/b/c",
    b"a/ab",
    b"a-/b",
    b"%",
    b"a%",
    b"_",
    b"\xff",
    b"\xff/a",
    b"a/\xff\xff",
    b"\xc3",
    b"A",
    b"0",
    b"'",
];
const NAMES: &[&[u8]] = &[b"f", b"F", b"%", b"\xff", b"a", b"0", b"\x01"];

#[derive(Clone, Debug)]
enum Op {
    Upsert(usize, usize, u64),
    FirstSeen(usize, usize, u64),
    Mend(usize, usize, u64),
    Refresh(usize, usize, u64),
    Remove(usize, usize),
    RemoveGone(usize, usize, u64),
    RemoveDir(usize),
    RenameFile((usize, usize), (usize, usize)),
    RenameDir(usize, usize),
    Hide(usize, bool),
}

fn op() -> impl Strategy<Value = Op> {
    // Most of it in few places, so that writes meet.
    let dir = prop_oneof![0..4_usize, 0..DIRS.len()];
    let name = prop_oneof![0..2_usize, 0..NAMES.len()];
    prop_oneof![
        6 => (dir.clone(), name.clone(), 0..9_u64).prop_map(|(d, n, v)| Op::Upsert(d, n, v)),
        3 => (dir.clone(), name.clone(), 0..9_u64).prop_map(|(d, n, v)| Op::FirstSeen(d, n, v)),
        1 => (dir.clone(), name.clone(), 0..9_u64).prop_map(|(d, n, v)| Op::Mend(d, n, v)),
        4 => (dir.clone(), name.clone(), 0..9_u64).prop_map(|(d, n, v)| Op::Refresh(d, n, v)),
        1 => (dir.clone(), name.clone()).prop_map(|(d, n)| Op::Remove(d, n)),
        1 => (dir.clone(), name.clone(), 0..9_u64).prop_map(|(d, n, v)| Op::RemoveGone(d, n, v)),
        1 => (1..DIRS.len()).prop_map(Op::RemoveDir),
        2 => ((dir.clone(), name.clone()), (dir.clone(), name)).prop_map(|(f, t)| Op::RenameFile(f, t)),
        3 => (1..DIRS.len(), 1..DIRS.len()).prop_map(|(f, t)| Op::RenameDir(f, t)),
        1 => (dir, any::<bool>()).prop_map(|(d, h)| Op::Hide(d, h)),
    ]
}

type Model = BTreeMap<(Vec<u8>, Vec<u8>), FileRow>;

fn below(dir: &[u8], root: &[u8]) -> bool {
    root.is_empty() || dir == root || dir.strip_prefix(root).is_some_and(|rest| rest.starts_with(b"/"))
}

const RULES: HidingRules = HidingRules { media_type: |_, _| 1, hides: |_| false };

fn at(dir: usize, name: usize) -> (Vec<u8>, Vec<u8>) {
    (DIRS[dir].to_vec(), NAMES[name].to_vec())
}

/// Of one of two files.
fn version(owner: &str, value: u64) -> FileRow {
    FileRow { size: value, ino: 7 + value % 2, ..row(owner) }
}

fn apply(op: &Op, model: &mut Model, world: &World) {
    let catalog = &world.catalog;
    let key_at = |d: usize, n: usize| world.key(DIRS[d], NAMES[n]);
    match *op {
        Op::Upsert(d, n, value) => {
            model.insert(at(d, n), version("a", value));
            catalog.upsert(key_at(d, n), version("a", value));
        }
        Op::FirstSeen(d, n, value) => {
            model.entry(at(d, n)).or_insert(version("b", value));
            catalog.index_first_seen(key_at(d, n), version("b", value));
        }
        Op::Mend(d, n, value) => {
            let new = version("c", value);
            if let Some(row) = model.get_mut(&at(d, n)).filter(|row| row.ino == new.ino) {
                *row = new.clone();
            }
            catalog.mend(key_at(d, n), new);
        }
        Op::Refresh(d, n, value) => {
            let FileRow { ino, birth, .. } = version("", value);
            let (size, mtime_ns) = (value + 100, 5);
            if let Some(row) = model.get_mut(&at(d, n)).filter(|row| row.ino == ino) {
                (row.size, row.mtime_ns) = (size, mtime_ns);
            }
            catalog.refresh(key_at(d, n), (ino, birth), size, mtime_ns);
        }
        Op::RemoveGone(d, n, value) => {
            let FileRow { ino, birth, .. } = version("", value);
            if model.get(&at(d, n)).is_some_and(|row| row.ino == ino) {
                model.remove(&at(d, n));
            }
            catalog.remove_gone(key_at(d, n), ino, birth);
        }
        Op::Remove(d, n) => {
            model.remove(&at(d, n));
            catalog.remove(key_at(d, n));
        }
        Op::RemoveDir(d) => {
            model.retain(|(dir, _), _| !below(dir, DIRS[d]));
            catalog.remove_dir(world.volume, 0, DIRS[d].to_vec());
        }
        Op::RenameFile(from, to) => {
            let moved = model.remove(&at(from.0, from.1));
            model.remove(&at(to.0, to.1));
            model.extend(
                moved.map(|row| (at(to.0, to.1), FileRow { mime: "x/y".into(), media_type: 5, ..row })),
            );
            catalog.rename_file(key_at(from.0, from.1), key_at(to.0, to.1), renamed("x/y", 5));
        }
        Op::RenameDir(from, to) => {
            let (from, to) = (DIRS[from], DIRS[to]);
            if !below(from, to) && !below(to, from) {
                model.retain(|(dir, _), _| !below(dir, to));
                let moved = |dir: Vec<u8>| match below(&dir, from) {
                    true => [to, &dir[from.len()..]].concat(),
                    false => dir,
                };
                *model =
                    std::mem::take(model).into_iter().map(|((d, n), row)| ((moved(d), n), row)).collect();
            }
            catalog.rename_dir(world.volume, 0, from.to_vec(), to.to_vec());
        }
        Op::Hide(d, hidden) => {
            for ((dir, _), row) in &mut *model {
                if below(dir, DIRS[d]) {
                    row.media_type = u8::from(!hidden);
                }
            }
            if hidden {
                catalog.hide_below(world.volume, 0, DIRS[d].to_vec());
            } else {
                catalog.show_below(world.volume, 0, DIRS[d].to_vec(), RULES);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_catalog_is_the_map(ops in prop::collection::vec(op(), 1..120)) {
        let world = World::new();
        let mut model = Model::new();
        for op in &ops {
            apply(op, &mut model, &world);
        }
        world.catalog.flush().unwrap();
        let catalog = &world.catalog;
        for root in DIRS {
            let mut found = Model::new();
            let mut note = |dir: &[u8], name: &[u8], row: &FileRow| {
                assert!(found.insert((dir.to_vec(), name.to_vec()), row.clone()).is_none(), "seen twice");
            };
            catalog.for_each_below(world.volume, 0, root, &mut note).unwrap();
            let expected: Model =
                model.iter().filter(|((dir, _), _)| below(dir, root)).map(|(k, v)| (k.clone(), v.clone())).collect();
            prop_assert_eq!(found, expected);
            let listed: BTreeMap<_, _> = catalog.list_dir(world.volume, 0, root).unwrap().into_iter().collect();
            let expected: BTreeMap<_, _> =
                model.iter().filter(|((dir, _), _)| dir == root).map(|((_, n), v)| (n.clone(), v.clone())).collect();
            prop_assert_eq!(listed, expected);
        }
        for ((dir, name), row) in &model {
            prop_assert_eq!(catalog.file(&world.key(dir, name)).unwrap(), Some(row.clone()));
        }
        prop_assert_eq!(catalog.count(world.volume).unwrap(), model.len() as u64);
    }
}
