//! Order, groups, waiting, and what happens when there is no room.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::super::queue::Queue;
use super::*;
use crate::observe::Gauge;

fn patient(milliseconds: u64) -> Limits {
    Limits { linger: Duration::from_millis(milliseconds), ..Limits::default() }
}

#[test]
fn queued_writes_share_commits() {
    let world = World::with(patient(50));
    let before = world.observer.counter(Counter::CatalogCommits);
    for n in 0..5000_u32 {
        world.put("d", n.to_string(), row("a"));
    }
    world.catalog.flush().unwrap();
    let commits = world.observer.counter(Counter::CatalogCommits) - before;
    assert!((1..100).contains(&commits), "{commits} commits for 5000 writes");
    assert_eq!(world.observer.counter(Counter::CatalogWrites), 5001);
    assert_eq!(world.observer.gauge(Gauge::CatalogQueue), 0);
    assert_eq!(world.catalog.count(world.volume).unwrap(), 5000);
}

#[test]
fn writes_that_trickle_in_share_commits_too() {
    let world = World::with(patient(300));
    let before = world.observer.counter(Counter::CatalogCommits);
    for n in 0..50_u32 {
        world.put("d", n.to_string(), row("a"));
        std::thread::sleep(Duration::from_millis(1));
    }
    world.catalog.flush().unwrap();
    let commits = world.observer.counter(Counter::CatalogCommits) - before;
    assert!((1..10).contains(&commits), "{commits} commits for 50 writes");
}

#[test]
fn what_is_known_to_be_many_gathers_for_longer() {
    let world = World::with(patient(0));
    let before = world.observer.counter(Counter::CatalogCommits);
    let gathering = world.catalog.gather();
    for n in 0..20_u32 {
        world.put("d", n.to_string(), row("a"));
        std::thread::sleep(Duration::from_millis(5));
    }
    world.catalog.flush().unwrap();
    drop(gathering);
    let commits = world.observer.counter(Counter::CatalogCommits) - before;
    assert!((1..10).contains(&commits), "{commits} commits");
}

#[test]
fn whoever_waits_does_not_wait_for_company() {
    let world = World::with(patient(5000));
    let start = Instant::now();
    for n in 0..20_u32 {
        world.put("d", n.to_string(), row("a"));
        assert!(world.get("d", n.to_string()).is_some());
        world.catalog.upsert_now(world.key("e", n.to_string()), row("a")).unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[test]
fn what_nobody_waits_for_is_committed_all_the_same() {
    let world = World::new();
    world.put("d", "f", row("a"));
    let deadline = Instant::now() + Duration::from_secs(5);
    while world.catalog.file(&world.key("d", "f")).unwrap().is_none() {
        assert!(Instant::now() < deadline, "never committed");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn an_idle_flush_only_compares_numbers() {
    // There is no writer here: a flush that needed one would not come back with success.
    let limits = Limits { commit_wait: Duration::from_millis(20), ..Limits::default() };
    let (queue, jobs) = Queue::new(limits, Arc::default());
    queue.flush().unwrap();
    queue.post(Write::Remove(key(VolumeKey(1), "d", "f")));
    assert!(matches!(queue.flush(), Err(CatalogError::Timeout(_))));
    assert_eq!(jobs.len(), 1, "a flush sends nothing");
    jobs.recv().unwrap();
    queue.advance(1, &[]);
    queue.flush().unwrap();
    assert!(jobs.is_empty());
}

#[test]
fn a_flush_that_loses_writes_says_so() {
    let (queue, _jobs) = Queue::new(Limits::default(), Arc::default());
    queue.post(Write::Remove(key(VolumeKey(1), "d", "f")));
    std::thread::scope(|scope| {
        let flush = scope.spawn(|| queue.flush());
        std::thread::sleep(Duration::from_millis(50));
        queue.advance(1, &[Some(VolumeKey(1))]);
        assert!(matches!(flush.join().unwrap(), Err(CatalogError::Lost)));
    });
}

#[test]
fn a_flush_of_one_volume_is_not_concerned_with_others() {
    let limits = Limits { commit_wait: Duration::from_secs(1), ..Limits::default() };
    let (queue, _jobs) = Queue::new(limits, Arc::default());
    let (ours, theirs, idle) = (VolumeKey(1), VolumeKey(2), VolumeKey(3));
    for volume in [theirs, ours, theirs, theirs] {
        queue.post(Write::Remove(key(volume, "d", "f")));
    }
    queue.flush_volume(idle).unwrap();
    std::thread::scope(|scope| {
        let queue = &queue;
        let flushes = [ours, theirs].map(|it| scope.spawn(move || (it, queue.flush_volume(it))));
        std::thread::sleep(Duration::from_millis(50));
        // The others' first write is lost, their last ones do not come.
        queue.advance(2, &[Some(theirs)]);
        for flush in flushes {
            let (volume, result) = flush.join().unwrap();
            assert_eq!(result.is_ok(), volume == ours, "{result:?}");
        }
        // Their losses are theirs to hear of, and everybody's who flushes everything.
        let flushes = [scope.spawn(|| queue.flush_volume(theirs)), scope.spawn(|| queue.flush())];
        std::thread::sleep(Duration::from_millis(50));
        queue.advance(2, &[None, Some(theirs)]);
        for flush in flushes {
            assert!(matches!(flush.join().unwrap(), Err(CatalogError::Lost)));
        }
        queue.flush_volume(ours).unwrap();
    });
}

#[test]
fn without_room_a_write_is_dropped_counted_and_marked() {
    let limits = Limits { capacity: 2, send_wait: Duration::from_millis(30), ..Limits::default() };
    let observer = Arc::new(Observer::default());
    let (queue, _jobs) = Queue::new(limits, Arc::clone(&observer));
    let volume = VolumeKey(3);
    for _ in 0..2 {
        queue.post(Write::Remove(key(volume, "d", "f")));
    }
    assert!(!queue.unmark(volume));
    let start = Instant::now();
    queue.post(Write::Remove(key(volume, "d", "f")));
    assert!(start.elapsed() >= Duration::from_millis(30));
    assert_eq!(observer.counter(Counter::CatalogDropped), 1);
    assert_eq!(observer.gauge(Gauge::CatalogQueue), 2);
    assert!(queue.is_marked(volume) && queue.unmark(volume) && !queue.is_marked(volume));
    assert!(matches!(queue.call(Write::Disown("p".into(), Vec::new())), Err(CatalogError::QueueFull(_))));
}

#[test]
fn a_locked_file_costs_a_reconcile_and_no_request() {
    let limits = Limits {
        busy_wait: Duration::from_millis(10),
        attempts: 2,
        commit_wait: Duration::from_secs(5),
        ..Limits::default()
    };
    let world = World::with(limits);
    let other = world.catalog.volume("other", "public").unwrap();
    for volume in [world.volume, other] {
        world.catalog.set_reconciled(volume).unwrap();
    }
    let intruder = rusqlite::Connection::open(world.db()).unwrap();
    intruder.execute_batch("BEGIN IMMEDIATE").unwrap();
    world.put("d", "lost", row("a"));
    assert!(matches!(world.catalog.flush(), Err(CatalogError::Lost)));
    assert!(matches!(world.catalog.upsert_now(world.key("d", "f"), row("a")), Err(CatalogError::Write(_))));
    assert_eq!(world.catalog.file(&world.key("d", "lost")).unwrap(), None, "readers go on");
    intruder.execute_batch("ROLLBACK").unwrap();

    assert_eq!(world.observer.counter(Counter::CatalogDropped), 2);
    assert!(world.observer.counter(Counter::CatalogErrors) >= 2);
    assert!(world.catalog.needs_reconcile(world.volume).unwrap());
    assert!(!world.catalog.needs_reconcile(other).unwrap());
    world.catalog.set_reconciled(world.volume).unwrap();
    assert!(!world.catalog.needs_reconcile(world.volume).unwrap());
    world.put("d", "f", row("b"));
    assert_eq!(world.get("d", "f"), Some(row("b")));
}

#[test]
fn a_write_lost_during_a_reconcile_outlives_it_and_the_close() {
    let world = World::new();
    assert!(world.catalog.needs_reconcile(world.volume).unwrap());
    world.catalog.queue.mark(Some(world.volume));
    world.catalog.set_reconciled(world.volume).unwrap();
    world.catalog.close();
    let again = Catalog::open(world.dir.path(), Arc::default()).unwrap();
    assert!(again.needs_reconcile(world.volume).unwrap());
}

#[test]
fn a_write_that_the_schema_refuses_takes_no_other_with_it() {
    let world = World::with(patient(50));
    world.put("d", "before", row("a"));
    world.catalog.upsert(key(VolumeKey(4711), "d", "f"), row("a"));
    world.put("d", "after", row("a"));
    let _ = world.catalog.flush();
    assert_eq!(world.tree(b""), [&b"d/after"[..], b"d/before"]);
    assert!(world.catalog.upsert_now(key(VolumeKey(4711), "d", "f"), row("a")).is_err());
}

#[test]
fn each_thread_reads_what_it_wrote() {
    let world = World::new();
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let world = &world;
            scope.spawn(move || {
                let dir = format!("t{thread}");
                for n in 0..200_u64 {
                    let written = FileRow { size: n, ..row("a") };
                    world.put(&dir, "f", written.clone());
                    assert_eq!(world.get(&dir, "f"), Some(written));
                }
            });
        }
    });
}

#[test]
fn readers_see_whole_commits_while_others_write() {
    let world = World::new();
    world.put("a", "f", row("a"));
    world.catalog.flush().unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut rounds = 0;
                    while !stop.load(Relaxed) {
                        // The directory moves to and fro; one statement finds it in exactly one place.
                        let mut seen = 0;
                        world.catalog.for_each_below(world.volume, 0, b"", &mut |_, _, _| seen += 1).unwrap();
                        assert!(seen >= 1);
                        rounds += 1;
                    }
                    rounds
                })
            })
            .collect();
        for n in 0..300 {
            let (from, to) = if n % 2 == 0 { (b"a", b"b") } else { (b"b", b"a") };
            world.catalog.rename_dir(world.volume, 0, from.to_vec(), to.to_vec());
            world.catalog.flush().unwrap();
        }
        stop.store(true, Relaxed);
        assert!(readers.into_iter().map(|reader| reader.join().unwrap()).sum::<u32>() > 0);
    });
    assert_eq!(world.tree(b""), [b"a/f"]);
}

#[test]
fn closing_gives_back_every_descriptor() {
    let world = World::new();
    world.put("d", "f", row("a"));
    assert!(world.get("d", "f").is_some());
    world.catalog.close();
    let dir = world.dir.path().to_owned();
    let open: Vec<_> = fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .filter(|target| target.starts_with(&dir))
        .collect();
    assert!(open.is_empty(), "{open:?}");
}

fn rules() -> HidingRules {
    HidingRules { media_type: |_, _| 1, hides: |path| path.ends_with(b"/.nomedia") }
}

#[test]
fn of_a_directory_hidden_and_shown_in_turn_only_the_last_counts() {
    // One batch, and many of them.
    for batch in [100_000, 7] {
        let world = World::with(Limits { batch, ..patient(200) });
        for n in 0..50_u32 {
            world.put("d", n.to_string(), row("a"));
            world.put("d/e", n.to_string(), row("a"));
        }
        world.catalog.flush().unwrap();
        let generation = world.catalog.version().unwrap().0;
        let (dir, volume) = (b"d".to_vec(), world.volume);
        // Until all of them are queued the writer does not come to the first.
        let intruder = rusqlite::Connection::open(world.db()).unwrap();
        intruder.execute_batch("BEGIN IMMEDIATE").unwrap();
        for _ in 0..100 {
            world.catalog.hide_below(volume, 0, dir.clone());
            world.catalog.show_below(volume, 0, dir.clone(), rules());
        }
        intruder.execute_batch("ROLLBACK").unwrap();
        world.catalog.flush().unwrap();
        let changed = "SELECT count(*) FROM files WHERE generation_modified > ";
        assert_eq!(world.ask(&format!("{changed}{generation}")), 0, "nothing was to be done");
        // What leaves the directory in between is as it was to be when it left.
        world.catalog.hide_below(volume, 0, dir.clone());
        world.catalog.rename_dir(volume, 0, b"d/e".to_vec(), b"x".to_vec());
        world.catalog.show_below(volume, 0, dir.clone(), rules());
        assert_eq!(world.get("x", "7").unwrap().media_type, 0);
        assert_eq!(world.get("d", "7").unwrap().media_type, 1);
        world.catalog.hide_below(volume, 0, dir.clone());
        assert_eq!(world.get("d", "7").unwrap().media_type, 0);
    }
}

#[test]
fn what_hides_behind_others_is_found_when_a_directory_is_shown() {
    let world = World::new();
    for (dir, name) in
        [("d", "a"), ("d/e", "a"), ("d/e/.f", "z"), ("d/g", ".nomedia"), ("d/g", "a"), ("d/g/h", "a")]
    {
        world.put(dir, name, FileRow { media_type: if dir == "d/g" { 1 } else { 0 }, ..row("a") });
    }
    world.catalog.show_below(world.volume, 0, b"d".to_vec(), rules());
    let types: Vec<u8> =
        ["d", "d/e", "d/g", "d/g/h"].map(|dir| world.get(dir, "a").unwrap().media_type).into();
    assert_eq!(types, [1, 1, 0, 0]);
}

#[test]
fn a_transaction_is_not_longer_than_others_can_wait_for() {
    let world = World::with(patient(500));
    for dir in ["a", "b", "c"] {
        for n in 0..9000_u32 {
            world.put(dir, n.to_string(), row("a"));
        }
        world.catalog.flush().unwrap();
    }
    let commits = world.observer.counter(Counter::CatalogCommits);
    for dir in ["a", "b", "c"] {
        world.catalog.hide_below(world.volume, 0, dir.into());
    }
    world.catalog.flush().unwrap();
    assert_eq!(world.observer.counter(Counter::CatalogCommits) - commits, 3);
    assert_eq!(world.ask("SELECT count(*) FROM files WHERE media_type <> 0"), 0);
}
