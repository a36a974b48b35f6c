//! The bound on the files of one package.

use super::*;

fn world(owned: u64) -> (World, Arc<str>) {
    (World::with(Limits { owned, ..Limits::default() }), "com.example.greedy".into())
}

#[test]
fn who_owns_too_many_makes_no_more_until_it_is_counted_again() {
    let (world, greedy) = world(5);
    let name = |n: usize| format!("{n}.txt");
    for n in 0..5 {
        assert!(!world.catalog.owns_too_many(&greedy));
        assert!(world.catalog.owns_one_more(&greedy), "file {n}");
        world.put("Download", name(n), row(&greedy));
    }
    world.catalog.flush().unwrap();
    assert!(world.catalog.owns_too_many(&greedy) && !world.catalog.owns_one_more(&greedy));
    assert!(world.catalog.owns_one_more(&"com.example.modest".into()), "others do");
    // A new start knows nothing: it counts.
    world.catalog.remove(world.key("Download", name(0)));
    world.catalog.flush().unwrap();
    world.catalog.close();
    let limits = Limits { owned: 5, ..Limits::default() };
    let again = Catalog::open_with(world.dir.path(), Arc::clone(&world.observer), limits).unwrap();
    assert!(again.owns_one_more(&greedy), "four are left");
}

/// Nor does asking use anything up.
#[test]
fn nobody_is_counted_again_while_there_is_room() {
    let (world, greedy) = world(100);
    world.put("Download", "a", row(&greedy));
    world.catalog.flush().unwrap();
    let reads = || world.observer.counter(Counter::CatalogReads);
    assert!(world.catalog.owns_one_more(&greedy));
    let before = reads();
    for _ in 0..98 {
        assert!(!world.catalog.owns_too_many(&greedy) && world.catalog.owns_one_more(&greedy));
    }
    assert_eq!(reads(), before);
    assert!(world.catalog.owns_one_more(&greedy), "what it removed meanwhile is not known, so it is counted");
    assert!(reads() > before);
}
