//! Changes as fast as they can be, a thousand a second at most, under load: no open succeeds that neither the state before
//! nor the one after allowed. That holds on any machine; how fast it goes is measured by the tests that are not run with the
//! others.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use mediagate::control::GrantSpec;
use mediagate_tests::{Actor, World};

use super::{APP, CAMERA, IMAGES, OTHER, Running, packages};

const EACH_SECOND: u32 = 1000;

/// When the next change comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// A thousand a second, if the machine can.
    Fast,
    /// Once somebody has seen the state that the last one led to.
    Seen,
}

/// Says so when dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Goes round the states: `change(n)` leads from state `n` to `n + 1`, and `allowed` says by state whether the app may
/// read. Asserts what every open saw, and says how many changes a second there were.
fn rounds(running: &Running, allowed: &[bool], pace: Pace, count: usize, change: impl Fn(usize)) -> f64 {
    let path = running.world.shared("DCIM/a.jpg");
    // Calls that have begun, and that have returned.
    let (begun, returned, over) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let opens = AtomicUsize::new(0);
    let watch = |mut app: Actor, counted: bool| {
        let mut seen = Vec::new();
        while !over.load(SeqCst) {
            let first = returned.load(SeqCst);
            let opened = app.can_read(&path).is_ok();
            seen.push((first, begun.load(SeqCst), opened));
            opens.fetch_add(usize::from(counted), SeqCst);
        }
        seen
    };
    let wait = |begin: Instant, n: usize| match pace {
        Pace::Fast => {
            let next = begin + Duration::from_secs(1) / EACH_SECOND * u32::try_from(n + 1).unwrap();
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        Pace::Seen => {
            // Two may have been on their way when the change was made.
            let (enough, since) = (opens.load(SeqCst) + 4, Instant::now());
            while opens.load(SeqCst) < enough && since.elapsed() < Duration::from_secs(10) {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    };
    let load = |mut app: Actor| {
        let mut files = 0;
        while !over.load(SeqCst) {
            let new = running.world.shared(format!("Download/{}.txt", files % 50));
            app.create(&new, b"x").unwrap();
            app.unlink(&new).unwrap();
            files += 1;
        }
        files
    };
    let starting = |name: &str| running.world.app(name);
    let (watchers, stranger, busy) = ([starting(APP), starting(APP)], starting(OTHER), starting(CAMERA));
    let (seen, strangers, files, rate) = std::thread::scope(|scope| {
        let watching: Vec<_> = watchers.into_iter().map(|app| scope.spawn(|| watch(app, true))).collect();
        let stranger = scope.spawn(|| watch(stranger, false));
        let busy = scope.spawn(|| load(busy));
        // However this ends, those who watch must not go on.
        let end = Over(&over);
        let begin = Instant::now();
        for n in 0..count {
            begun.store(n + 1, SeqCst);
            change(n);
            returned.store(n + 1, SeqCst);
            wait(begin, n);
        }
        let rate = count as f64 / begin.elapsed().as_secs_f64();
        drop(end);
        let seen: Vec<_> = watching.into_iter().flat_map(|it| it.join().unwrap()).collect();
        (seen, stranger.join().unwrap(), busy.join().unwrap(), rate)
    });
    assert!(strangers.iter().all(|(_, _, opened)| !opened), "an app that was given nothing got in");
    let mut sharp = [0, 0];
    for (first, last, opened) in &seen {
        let possible: Vec<bool> = (*first..=*last).map(|state| allowed[state % allowed.len()]).collect();
        assert!(
            possible.contains(opened),
            "an open during the states {first} to {last} was {}",
            if *opened { "allowed" } else { "refused" }
        );
        sharp[usize::from(*opened)] += usize::from(possible.iter().all(|it| it == opened));
    }
    println!(
        "{count} changes at {rate:.0} a second, {} opens of which {sharp:?} had one possible answer, {files} files made",
        seen.len()
    );
    assert!(sharp[0] > 20 && sharp[1] > 20, "too few opens say anything: {sharp:?}");
    rate
}

fn running() -> Running {
    let running = Running::start(World::new(&packages()));
    running.world.app(CAMERA).create(running.world.shared("DCIM/a.jpg"), b"x").unwrap();
    running
}

/// Twenty states, of which the app may read in those from the second to the eleventh.
const HALF: [bool; 20] = {
    let mut allowed = [false; 20];
    let mut state = 1;
    while state <= 10 {
        allowed[state] = true;
        state += 1;
    }
    allowed
};

/// Between what lets in and what keeps out another permission is toggled, that changes nothing.
fn toggle_permissions(count: usize) -> f64 {
    let running = running();
    let control = running.control();
    rounds(&running, &HALF, Pace::Fast, count, |n| match n % 20 {
        0 => control.set_permission(APP, IMAGES, true).unwrap(),
        10 => control.set_permission(APP, IMAGES, false).unwrap(),
        n => control.set_permission(APP, "READ_MEDIA_AUDIO", n.is_multiple_of(2)).unwrap(),
    })
}

#[test]
fn permissions() {
    toggle_permissions(3000);
}

/// On a machine that does nothing else: `cargo test --release -p mediagate-tests --test changes -- --ignored --nocapture --test-threads=1`.
#[test]
#[ignore = "measures the machine"]
fn a_thousand_a_second() {
    let rate = toggle_permissions(10_000);
    assert!(rate > 0.99 * f64::from(EACH_SECOND), "{rate:.0} changes a second");
}

/// Each change is one of the permission that decides.
fn toggle_what_decides(pace: Pace, count: usize) -> f64 {
    let running = running();
    let control = running.control();
    rounds(&running, &[false, true], pace, count, |n| {
        control.set_permission(APP, IMAGES, n.is_multiple_of(2)).unwrap();
    })
}

#[test]
fn the_permission_that_decides() {
    toggle_what_decides(Pace::Seen, 600);
}

/// As [`a_thousand_a_second`].
#[test]
#[ignore = "measures the machine"]
fn a_thousand_a_second_of_what_decides() {
    let rate = toggle_what_decides(Pace::Fast, 10_000);
    assert!(rate > 0.99 * f64::from(EACH_SECOND), "{rate:.0} changes a second");
}

/// As with permissions: in between, a grant on another file comes and goes.
#[test]
fn grants() {
    let running = running();
    running.world.app(CAMERA).create(running.world.shared("DCIM/b.jpg"), b"x").unwrap();
    let (control, grant) = (running.control(), running.grant(APP, "DCIM/a.jpg", "read"));
    let beside = running.grant(APP, "DCIM/b.jpg", "read");
    let remove = |grant: &GrantSpec| control.remove_grants(APP, 0, Some(&grant.path)).map(drop);
    rounds(&running, &HALF, Pace::Fast, 3000, |n| match n % 20 {
        0 => control.add_grant(&grant).unwrap(),
        10 => remove(&grant).unwrap(),
        n if n.is_multiple_of(2) => remove(&beside).unwrap_or(()),
        _ => control.add_grant(&beside).unwrap(),
    });
}

/// What a package was given goes with it and does not come back.
#[test]
fn permissions_grants_and_packages() {
    const ALLOWED: [bool; 10] = [false, true, true, true, true, false, false, false, false, false];
    let running = running();
    let (control, grant) = (running.control(), running.grant(APP, "DCIM/a.jpg", "read"));
    let fresh = packages().into_iter().find(|it| it.0.name == APP).unwrap().0;
    rounds(&running, &ALLOWED, Pace::Fast, 3000, |n| match n % ALLOWED.len() {
        0 | 3 => control.set_permission(APP, IMAGES, true).unwrap(),
        1 => control.add_grant(&grant).unwrap(),
        2 => control.set_permission(APP, IMAGES, false).unwrap(),
        4 | 8 => control.remove_package(APP).unwrap(),
        5 | 9 => control.install_package(fresh.clone()).unwrap(),
        n => control.set_permission(APP, "READ_MEDIA_AUDIO", n == 6).unwrap(),
    });
}
