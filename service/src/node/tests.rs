use std::sync::Arc;

use super::*;
use crate::lower::{FileKind, Id, Meta};
use crate::observe::{Gauge, Observer};

fn meta(ino: u64, generation: u64, kind: FileKind) -> Meta {
    Meta {
        id: Id { ino, generation },
        kind,
        mode: 0o664,
        nlink: 1,
        uid: 0,
        gid: 0,
        size: 0,
        blocks: 0,
        blksize: 4096,
        atime: (0, 0),
        mtime: (0, 0),
        ctime: (0, 0),
    }
}

fn table() -> (Table, Arc<Observer>) {
    let observer = Arc::new(Observer::default());
    (Table::new(&meta(100, 1, FileKind::Directory), Arc::clone(&observer)), observer)
}

fn look_up(table: &Table, parent: &Arc<File>, name: &str, ino: u64) -> Arc<File> {
    let kind = if name.starts_with('d') { FileKind::Directory } else { FileKind::File };
    let found = table.enter(parent, name.as_bytes(), &meta(ino, 1, kind)).unwrap();
    let file = Arc::clone(found.file());
    found.answer(View::Original);
    file
}

#[test]
fn ids_come_from_inode_numbers_and_tell_the_view() {
    assert_eq!(NodeId::of(7, View::Original).unwrap(), NodeId(7));
    let redacted = NodeId::of(7, View::Redacted).unwrap();
    assert_eq!((redacted.view(), redacted.in_view(View::Original)), (View::Redacted, NodeId(7)));
    assert_ne!(NodeId::of(1, View::Original).unwrap(), NodeId::ROOT);
    for ino in [0, 1 << 62, 1 << 63, u64::MAX] {
        assert!(NodeId::of(ino, View::Original).is_err(), "{ino:#x}");
    }
}

#[test]
fn paths_follow_a_directory_that_moves() {
    let (table, _) = table();
    let root = Arc::clone(table.root());
    let dir = look_up(&table, &root, "d1", 2);
    let sub = look_up(&table, &dir, "d2", 3);
    let file = look_up(&table, &sub, "f", 4);
    assert_eq!(file.path(), b"d1/d2/f");
    dir.move_to(&root, b"moved");
    assert_eq!(file.path(), b"moved/d2/f");
    assert_eq!(root.path(), b"");
}

#[test]
fn a_directory_never_becomes_its_own_ancestor() {
    let (table, _) = table();
    let dir = look_up(&table, &Arc::clone(table.root()), "d1", 2);
    let sub = look_up(&table, &dir, "d2", 3);
    dir.move_to(&sub, b"loop");
    assert_eq!(sub.path(), b"d1/d2");
}

#[test]
fn a_file_leaves_when_both_views_are_forgotten() {
    let (table, observer) = table();
    let root = Arc::clone(table.root());
    drop(look_up(&table, &root, "f", 2));
    let found = table.enter(&root, b"f", &meta(2, 1, FileKind::File)).unwrap();
    let redacted = found.answer(View::Redacted);
    assert_eq!((observer.gauge(Gauge::Nodes), observer.gauge(Gauge::Lookups)), (1, 2));
    table.forget(NodeId(2), 1);
    assert!(table.get(redacted).is_some());
    table.forget(redacted, 1);
    assert!(table.get(redacted).is_none() && table.get(NodeId(2)).is_none());
    assert_eq!((observer.gauge(Gauge::Nodes), observer.gauge(Gauge::Lookups)), (0, 0));
}

#[test]
fn parents_stay_as_long_as_a_child_is_known_and_go_with_it() {
    let (table, observer) = table();
    let dir = look_up(&table, &Arc::clone(table.root()), "d1", 2);
    drop(look_up(&table, &dir, "f", 3));
    drop(dir);
    table.forget(NodeId(2), 1);
    assert!(table.get(NodeId(2)).is_some(), "its child still needs it");
    table.forget(NodeId(3), 1);
    assert_eq!(observer.gauge(Gauge::Nodes), 0);
}

#[test]
fn what_is_held_when_forgotten_is_swept_later() {
    let (table, observer) = table();
    let file = look_up(&table, &Arc::clone(table.root()), "f", 2);
    table.forget(NodeId(2), 1);
    table.sweep();
    assert_eq!(observer.gauge(Gauge::Nodes), 1);
    drop(file);
    table.sweep();
    assert_eq!(observer.gauge(Gauge::Nodes), 0);
}

#[test]
fn a_lookup_that_is_not_answered_leaves_nothing() {
    let (table, observer) = table();
    drop(table.enter(table.root(), b"f", &meta(2, 1, FileKind::File)).unwrap());
    assert_eq!((observer.gauge(Gauge::Nodes), observer.gauge(Gauge::Lookups)), (0, 0));
}

#[test]
fn more_forgets_than_lookups_do_no_harm() {
    let (table, observer) = table();
    drop(look_up(&table, &Arc::clone(table.root()), "f", 2));
    table.forget(NodeId(2), u64::MAX);
    table.forget(NodeId(2), 1);
    table.forget(NodeId(99), 1);
    table.forget(NodeId::ROOT, 1);
    assert_eq!((observer.gauge(Gauge::Nodes), observer.gauge(Gauge::Lookups)), (0, 0));
}

#[test]
fn a_reused_inode_number_is_another_file_and_takes_the_old_forgets() {
    let (table, observer) = table();
    let root = Arc::clone(table.root());
    let old = look_up(&table, &root, "f", 2);
    old.set_owner(Owner::Nobody);
    let found = table.enter(&root, b"g", &meta(2, 9, FileKind::File)).unwrap();
    let new = Arc::clone(found.file());
    found.answer(View::Original);
    assert!(old.is_removed() && new.owner() == Owner::Unknown);
    drop((old, new));
    table.forget(NodeId(2), 2);
    assert_eq!((observer.gauge(Gauge::Nodes), observer.gauge(Gauge::Lookups)), (0, 0));
}

#[test]
fn what_is_found_in_its_directory_keeps_the_known_name() {
    let (table, _) = table();
    let root = Arc::clone(table.root());
    let file = look_up(&table, &root, "File", 2);
    assert!(Arc::ptr_eq(&file, &look_up(&table, &root, "FILE", 2)));
    assert_eq!(file.path(), b"File");
    file.mark_removed();
    look_up(&table, &root, "other", 2);
    assert_eq!(file.path(), b"other");
}

#[test]
fn an_owner_read_late_does_not_overwrite_one_that_was_set() {
    let (table, _) = table();
    let file = look_up(&table, &Arc::clone(table.root()), "f", 2);
    file.set_owner(Owner::Package("a".into()));
    assert_eq!(file.learn_owner(Owner::Nobody), Owner::Package("a".into()));
}

#[test]
fn concurrent_lookups_and_forgets_balance() {
    let (table, observer) = table();
    let table = &table;
    std::thread::scope(|scope| {
        for seed in 0..4_u64 {
            scope.spawn(move || {
                for round in 0..2000 {
                    let ino = 2 + (seed + round) % 17;
                    let dir = look_up(table, table.root(), "d", 50);
                    drop(look_up(table, &dir, "f", ino));
                    drop(dir);
                    table.forget(NodeId(50), 1);
                    table.forget(NodeId(ino), 1);
                }
            });
        }
    });
    table.sweep();
    assert_eq!((observer.gauge(Gauge::Nodes), observer.gauge(Gauge::Lookups)), (0, 0));
}

#[test]
fn spellings_differ_in_case_alone() {
    let (table, _) = table();
    let root = Arc::clone(table.root());
    let file = look_up(&table, &root, "Übung.txt", 2);
    for (name, known_otherwise, other_spelling) in
        [("Übung.txt", false, false), ("übung.TXT", true, true), ("Ubung.txt", true, false)]
    {
        assert_eq!(file.is_known_otherwise(&root, name.as_bytes()), known_otherwise, "{name}");
        assert_eq!(file.is_other_spelling(&root, name.as_bytes()), other_spelling, "{name}");
    }
    assert!(!file.is_other_spelling(&root, b"\xff.txt"));
}

#[test]
fn a_forced_view_is_a_node_of_its_own_of_the_same_file() {
    let (table, observer) = table();
    let root = Arc::clone(table.root());
    let found = table.enter(&root, b"a.jpg", &meta(1, 1, FileKind::File)).unwrap();
    let file = Arc::clone(found.file());
    let link = table.enter_link(&file);
    assert_eq!(table.enter_link(&file), link);
    drop(found);
    assert_eq!((link.view(), link.virtual_dir()), (View::Forced, None));
    assert!(table.is_known(link) && !table.is_known(file.node()));
    // Whoever walks to the file itself gets the one that writers of it are counted on.
    assert!(Arc::ptr_eq(&look_up(&table, &root, "a.jpg", 1), &file));
    assert!(Arc::ptr_eq(&table.get(link).unwrap(), &file));
    assert!(!Arc::ptr_eq(file.io(View::Forced), file.io(View::Redacted)));
    table.forget(file.node(), 1);
    assert!(table.get(file.node()).is_some());
    drop(file);
    table.forget(link, 1);
    assert!(table.get(link).is_some());
    table.forget(link, 5);
    assert!(table.get(link).is_none() && table.find(Id { ino: 1, generation: 1 }).is_none());
    assert_eq!(observer.gauge(Gauge::Lookups), 0);
    assert_eq!(observer.gauge(Gauge::Nodes), 0);
}

#[test]
fn virtual_directories_are_told_from_everything_else() {
    for (user, depth) in [(0, 1), (0, 3), (10, 2), (u32::MAX, 3)] {
        let dir = VirtualDir { user, depth };
        assert_eq!(dir.node().virtual_dir(), Some(dir));
        assert!(NodeId::of(dir.node().0, View::Original).is_err());
    }
    for ino in [1, 2, 3, 7, 1 << 60] {
        for view in [View::Original, View::Redacted, View::Forced] {
            let node = NodeId::of(ino, view).unwrap();
            assert_eq!((node.virtual_dir(), node.view()), (None, view), "{ino}");
            assert_eq!(node.in_view(View::Original), NodeId::of(ino, View::Original).unwrap());
        }
    }
    assert!(NodeId::of(1 << 61, View::Original).is_err());
    let (table, observer) = table();
    let node = VirtualDir { user: 0, depth: 1 }.node();
    table.forget(node, 1);
    assert!(table.get(node).is_none() && table.is_known(node));
    assert_eq!(observer.gauge(Gauge::Lookups), 0);
}
