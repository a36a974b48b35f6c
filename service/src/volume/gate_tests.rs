use std::sync::Arc;
use std::time::Duration;

use super::Gate;
use crate::lower::{FileKind, Id, Meta};
use crate::node::{File, Table, View};
use crate::observe::Observer;

fn directory(ino: u64) -> Meta {
    Meta {
        id: Id { ino, generation: 1 },
        kind: FileKind::Directory,
        mode: 0o775,
        nlink: 2,
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

/// `tree`, `tree/sub` and `other`.
fn dirs() -> (Table, [Arc<File>; 3]) {
    let table = Table::new(&directory(100), Arc::new(Observer::default()));
    let enter = |parent: &Arc<File>, name: &[u8], ino| {
        let found = table.enter(parent, name, &directory(ino)).unwrap();
        let file = Arc::clone(found.file());
        found.answer(View::Original);
        file
    };
    let tree = enter(table.root(), b"tree", 2);
    let sub = enter(&tree, b"sub", 3);
    let other = enter(table.root(), b"other", 4);
    (table, [tree, sub, other])
}

#[test]
fn a_tree_that_was_filled_meanwhile_is_to_be_checked_again() {
    let (_table, [tree, sub, other]) = dirs();
    let gate = Gate::default();
    let checking = gate.check(&tree);
    drop(gate.fill(&other).unwrap());
    assert!(checking.commit().is_some(), "what comes elsewhere does not matter");

    let checking = gate.check(&tree);
    drop(gate.fill(&sub).unwrap());
    assert!(checking.commit().is_none());
}

#[test]
fn what_is_being_filled_when_the_check_begins_counts() {
    let (_table, [tree, sub, _]) = dirs();
    let gate = Gate::default();
    let filling = gate.fill(&sub).unwrap();
    let checking = gate.check(&tree);
    drop(filling);
    assert!(checking.commit().is_none());
    assert!(gate.check(&tree).commit().is_some());
}

#[test]
fn nothing_is_put_into_a_tree_that_moves_until_it_has_moved() {
    let (_table, [tree, sub, other]) = dirs();
    let gate = Gate::default();
    let moving = gate.check(&tree).commit().unwrap();
    drop(gate.fill(&other).unwrap());
    std::thread::scope(|scope| {
        let filling = scope.spawn(|| gate.fill(&sub).map(drop));
        std::thread::sleep(Duration::from_millis(50));
        assert!(!filling.is_finished());
        drop(moving);
        filling.join().unwrap().unwrap();
    });
}
