//! How often the catalog is asked.

use super::*;
use mediagate_tests::picture::picture;

fn reads(world: &mut World) -> i64 {
    world.daemon().stat("catalog.reads")
}

/// What decisions need is known once it was found out: owners are on the nodes.
#[test]
fn a_warm_decision_asks_nothing() {
    let mut world = world();
    let (mut owner, mut frame) = (world.app(OWNER), world.app(FRAME));
    directory(&world, &mut owner, "warm");
    let (letters, pictures) = (paths(&world, "warm", "txt"), paths(&world, "warm", "jpg"));
    for (seed, (letter, photo)) in letters.iter().zip(&pictures).enumerate() {
        owner.create(letter, b"letter").unwrap();
        owner.create(photo, &picture(seed as u8, seed % 2 == 0, 4096)).unwrap();
    }
    let mut work = |world: &World| {
        read_each(&mut owner, &letters);
        read_each(&mut owner, &pictures);
        read_each(&mut frame, &pictures);
        for path in letters.iter().chain(&pictures) {
            owner.stat(path).unwrap();
            frame.stat(path).unwrap();
            owner.access(path, libc::R_OK | libc::W_OK).unwrap();
        }
        // A refusal, too.
        for path in &letters {
            assert_eq!(frame.can_read(path).unwrap_err().0, libc::EACCES);
        }
        let _ = world;
    };
    work(&world);
    let decisions = world.daemon().stat("policy.decisions");
    // What else asks the catalog (facts of new files, the watch) comes to rest; a decision that asks never does.
    let begin = Instant::now();
    loop {
        let before = reads(&mut world);
        work(&world);
        let asked = reads(&mut world) - before;
        if asked == 0 {
            break;
        }
        assert!(begin.elapsed() < PATIENCE, "{asked} questions to the catalog");
    }
    let decided = world.daemon().stat("policy.decisions") - decisions;
    assert!(decided >= 4 * TIMES as i64, "{decided} decisions are not what this is about");
}

/// Not one for each file, however many there are.
#[test]
fn a_listing_is_one_query() {
    const COUNT: usize = 1000;
    let mut world = world();
    let mut owner = world.app(OWNER);
    directory(&world, &mut owner, "many");
    let dir = std::os::unix::ffi::OsStringExt::into_vec(world.shared("Download/many").into_os_string());
    let (prefix, suffix) = ("a".to_owned(), ".txt".to_owned());
    owner.job(mediagate_tests::Job::CreateMany { dir, prefix, suffix, count: COUNT }).unwrap();
    // Nothing is known but what the index says.
    assert_eq!(world.daemon().stop(nix::sys::signal::Signal::SIGTERM).code(), Some(0));
    world.start();
    world.daemon().wait_until_indexed();
    for (package, expected) in [(OWNER, COUNT), (FRAME, 0)] {
        let mut app = world.app(package);
        app.stat(world.shared("Download/many")).unwrap();
        // The fewest of some, as others ask the catalog now and then.
        let asked = (0..5).map(|_| {
            let before = reads(&mut world);
            assert_eq!(app.list(world.shared("Download/many")).unwrap().len(), expected);
            reads(&mut world) - before
        });
        assert_eq!(asked.min(), Some(1), "a listing by {package}");
    }
    let looked = world.daemon().stat("index.first_seen");
    assert_eq!(looked, 0, "files were looked at one by one");
}
