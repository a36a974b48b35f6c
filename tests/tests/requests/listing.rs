//! Large directories with few descriptors.

use super::*;
use mediagate_tests::as_app;

#[test]
fn ten_thousand_entries_with_a_thousand_descriptors() {
    with_few_descriptors(10_000);
}

#[test]
#[ignore = "takes a minute: cargo test -p mediagate-tests --test requests -- --ignored"]
fn a_hundred_thousand_entries_with_a_thousand_descriptors() {
    with_few_descriptors(100_000);
}

/// `ls -l`: each entry's attributes, by an app that sees them all, by one that sees a third, and by one that sees none.
fn with_few_descriptors(count: usize) {
    let mut world = world();
    let mut owner = world.app(OWNER);
    directory(&world, &mut owner, "huge");
    for number in 0..count {
        // A third are pictures.
        let kind = if number % 3 == 0 { "jpg" } else { "txt" };
        std::fs::File::create_new(world.lower(format!("Download/huge/{number}.{kind}"))).unwrap();
    }
    let dir = world.shared("Download/huge");
    for (uid, expected) in [(MANAGER_UID, count), (10102, count.div_ceil(3)), (OWNER_UID, 0)] {
        let dir = dir.clone();
        let listed = as_app(uid, move || {
            let entries = std::fs::read_dir(&dir).unwrap();
            entries.filter(|entry| entry.as_ref().unwrap().metadata().unwrap().is_file()).count()
        });
        assert_eq!(listed, expected, "uid {uid}");
    }
    assert_eq!(world.daemon().stat("fuse.panics"), 0);
    let open = world.daemon().stat("process.open_fds");
    assert!(open < 500, "{open} descriptors are open");
}
