//! Clients that send nonsense, too much, or read nothing, by the driver, next to one that wants to be served. Their
//! like on a Unix socket are in service/tests/interface/hostile.rs.

use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use mediagate_tests::{Actor, Call};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::death::service;
use crate::driver::{Driver, FIRST, ONE_WAY, Outcome, PING, Parcel};
use crate::methods::code;
use crate::raw::{NAME, STORE, store};
use crate::{BINDER, wait_until};

const ROOM: usize = 256 << 10;
/// Methods, and some codes beyond them.
const CODES: u32 = 64;

/// How much of the machine the service takes: threads, descriptors, memory in KiB.
fn size() -> (usize, usize, u64) {
    let process = format!("/proc/{}", service());
    let count = |what: &str| std::fs::read_dir(format!("{process}/{what}")).unwrap().count();
    let status = std::fs::read_to_string(format!("{process}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    (count("task"), count("fd"), resident.trim_end_matches("kB").trim().parse().unwrap())
}

/// Does `attack` while a client of good will calls; its calls are answered in time, and the service is as large in the end
/// as it was.
fn beside_a_good_client(attack: impl FnOnce(&mut dyn FnMut())) {
    let mut good = Actor::start(0);
    good.connect(BINDER).unwrap();
    let mut longest = Duration::ZERO;
    let mut call = || {
        let begin = Instant::now();
        good.call(Call::Stats).unwrap();
        longest = longest.max(begin.elapsed());
    };
    // With as many threads as it ever has, before it is measured.
    (0..20).for_each(|_| call());
    let (_, files, memory) = size();
    attack(&mut call);
    call();
    assert!(longest < Duration::from_secs(10), "the good client waited {longest:?}");
    wait_until("the descriptors of the attack go", || size().1 <= files + 8);
    let (threads, _, after) = size();
    assert!(threads < 64, "{threads} threads");
    assert!(after < memory + (64 << 10), "{memory} KiB became {after} KiB");
}

/// xorshift64: the same numbers every time.
fn noise(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn random_parcels_are_answered_one_by_one() {
    beside_a_good_client(|call| {
        let driver = Driver::open(ROOM);
        let root = driver.service("mediagate");
        let objects = [(root, NAME), (store(&driver, root), STORE)];
        let mut state = 0x9e37_79b9_7f4a_7c15;
        for round in 0..1500 {
            let (service, name) = objects[round % 2];
            let mut parcel = if round % 16 < 2 { Parcel::default() } else { Parcel::to(name) };
            for _ in 0..noise(&mut state) % 64 {
                // Small numbers are lengths that make sense; others do not.
                let number = noise(&mut state);
                let number = if number.is_multiple_of(3) { number as i32 } else { (number % 40) as i32 };
                parcel.number(number);
            }
            parcel
                .data
                .truncate(parcel.data.len() - (noise(&mut state) % 4) as usize % (parcel.data.len() + 1));
            let code = FIRST + (noise(&mut state) % u64::from(CODES)) as u32;
            let outcome = driver.transact(service, code, 0, &parcel);
            assert!(matches!(outcome, Outcome::Reply(_) | Outcome::Status(_)), "{round}: {outcome:?}");
            if round % 100 == 0 {
                call();
            }
        }
    });
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn what_is_too_long_or_points_nowhere_the_driver_keeps() {
    beside_a_good_client(|call| {
        let driver = Driver::open(ROOM);
        let service = driver.service("mediagate");
        let mut long = Parcel::to(NAME);
        long.data.resize(4 << 20, 7);
        assert_eq!(driver.transact(service, FIRST, 0, &long), Outcome::Failed);
        let mut wild = Parcel::to(NAME);
        wild.offsets = vec![1 << 40, 3, u64::MAX];
        assert_eq!(driver.transact(service, FIRST, 0, &wild), Outcome::Failed);
        call();
        // As long as can be, and no longer than what the service takes at once.
        let mut most = Parcel::to(NAME);
        most.data.resize(900 << 10, 7);
        for _ in 0..50 {
            assert!(!matches!(driver.transact(service, FIRST + 2, 0, &most), Outcome::Dead));
        }
    });
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn descriptors_that_nobody_asked_for_are_closed() {
    beside_a_good_client(|_| {
        let driver = Driver::open(ROOM);
        let service = driver.service("mediagate");
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        for _ in 0..300 {
            let mut parcel = Parcel::to(NAME);
            for _ in 0..8 {
                parcel.descriptor(file.as_raw_fd());
            }
            let outcome = driver.transact(service, FIRST + 2, 0, &parcel);
            assert!(!matches!(outcome, Outcome::Dead | Outcome::Sent), "{outcome:?}");
        }
    });
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn a_thousand_clients_that_read_nothing_and_die_hold_up_nobody() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    // Its answer is long.
    let dump = code("IMediagate", "dumpState");
    beside_a_good_client(|call| {
        let clients: Vec<Driver> = (0..1000)
            .map(|number| {
                let client = Driver::open(4096);
                let service = client.service("mediagate");
                // An answer that finds no room, and one that is never fetched.
                client.send(service, if number % 50 == 0 { dump } else { PING }, 0, &Parcel::to(NAME));
                if number % 100 == 0 {
                    call();
                }
                client
            })
            .collect();
        call();
        // To the driver this is the death of a process that holds the service and an answer.
        drop(clients);
    });
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn one_way_calls_without_end_fill_nothing_but_their_own_share() {
    beside_a_good_client(|call| {
        let driver = Driver::open(ROOM);
        let service = driver.service("mediagate");
        let mut parcel = Parcel::to(NAME);
        parcel.data.resize(16 << 10, 0);
        let begin = Instant::now();
        let mut sent = 0;
        while begin.elapsed() < Duration::from_secs(3) {
            for _ in 0..50 {
                // The driver refuses what finds no room among the half that is for one-way calls (binder_alloc.c).
                let outcome = driver.transact(service, FIRST + 2, ONE_WAY, &parcel);
                assert!(matches!(outcome, Outcome::Sent | Outcome::Failed), "{outcome:?}");
                sent += 1;
            }
            call();
        }
        assert!(sent >= 100, "{sent} calls are no flood");
    });
}

/// To read an object is to ask its process what it is, which these never say. A service's threads are few.
#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn observers_that_do_not_say_what_they_are_hold_up_nobody() {
    let clients: Vec<Driver> = (0..24).map(|_| Driver::open(4096)).collect();
    beside_a_good_client(|call| {
        // Each is for good in the call that it makes.
        let mut next = (1..).zip(&clients);
        for (method, count) in [("registerObserver", 22), ("unregisterObserver", 1), ("awaitChanges", 1)] {
            for (number, client) in next.by_ref().take(count) {
                let store = store(client, client.service("mediagate"));
                let mut parcel = Parcel::to(STORE);
                parcel.own_object(number);
                client.send(store, code("IMediaStore", method), 0, &parcel);
            }
            call();
        }
        drop(clients);
    });
}
