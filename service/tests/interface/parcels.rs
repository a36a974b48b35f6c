//! Well-framed messages with nonsense in them, many clients at once, and clients that die in the middle of everything. What is
//! about the framing itself is in `hostile`.

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::fake::{APP, as_uid};
use crate::methods::code;
use crate::service::Service;
use crate::wire::{MEDIAGATE, STORE, add_object, answer, call, call_with, greeted, root, store, token};

/// Methods of the interface, and some codes beyond them.
const CODES: u64 = 64;
/// xorshift64: the same numbers every time.
fn noise(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// A session, and what can be called in it: by the name of its interface.
struct Session {
    stream: UnixStream,
    objects: [([u8; 8], &'static str); 2],
}

fn session(socket: &Path) -> Session {
    let mut stream = greeted(socket);
    let root = root(&mut stream);
    let store = store(&mut stream, root);
    Session { stream, objects: [(root, MEDIAGATE), (store, STORE)] }
}

fn random_parcels(socket: &Path, seed: u64, rounds: u32) {
    let mut session = session(socket);
    let mut state = seed;
    // So that what comes back is known to be an answer: of a method that everybody may call.
    let version = call(session.objects[1].0, code(STORE, "version"), &token(STORE));
    session.stream.write_all(&version).unwrap();
    assert_eq!(answer(&mut session.stream).unwrap().1[..4], [0; 4]);
    let mut answered = 0;
    for round in 0..rounds {
        let (address, interface) = session.objects[round as usize % 2];
        let mut parcel = if round % 16 < 2 { Vec::new() } else { token(interface) };
        // What observers come with, in front of the rest.
        let objects: Vec<u32> =
            (0..u32::from(round % 8 == 7)).map(|at| add_object(&mut parcel, at)).collect();
        for _ in 0..noise(&mut state) % 64 {
            // Small numbers are lengths that make sense; others do not.
            let number = noise(&mut state);
            let number = if number.is_multiple_of(3) { number as u32 } else { (number % 40) as u32 };
            parcel.extend(number.to_le_bytes());
        }
        let cut = if objects.is_empty() { (noise(&mut state) % 4) as usize } else { 0 };
        parcel.truncate(parcel.len().saturating_sub(cut));
        let code = 1 + (noise(&mut state) % CODES) as u32;
        // A session that has had enough of it may end; then another one goes on.
        let sent = session.stream.write_all(&call_with(address, code, &parcel, &objects));
        match sent.and_then(|()| answer(&mut session.stream)) {
            Ok(_) => answered += 1,
            Err(_) => session = self::session(socket),
        }
    }
    assert!(answered > rounds / 10 * 9, "{answered} of {rounds} were answered");
}

/// The objects in the random calls are understood as such.
#[test]
fn an_object_of_the_client_s_is_one() {
    let service = Service::on_socket().with_apps();
    as_uid(APP, || {
        let mut session = session(&service.socket);
        let (store, name) = session.objects[1];
        let mut exceptions = Vec::new();
        for number in 0..3 {
            let mut parcel = token(name);
            let at = add_object(&mut parcel, number);
            // The observer is all that awaitChanges needs beside a number.
            parcel.extend(0_u32.to_le_bytes());
            let request = call_with(store, code(STORE, "awaitChanges"), &parcel, &[at]);
            session.stream.write_all(&request).unwrap();
            let (status, parcel) = answer(&mut session.stream).unwrap();
            assert_eq!(status, 0, "the parcel was understood");
            exceptions.push(i32::from_le_bytes(parcel[..4].try_into().unwrap()));
        }
        // EX_SERVICE_SPECIFIC: it is not registered.
        assert_eq!(exceptions, [-8; 3]);
    });
}

#[test]
fn random_parcels_are_answered_one_by_one() {
    let service = Service::on_socket().with_apps();
    random_parcels(&service.socket, 0x9e37_79b9_7f4a_7c15, 2000);
    // Few enough connections for an app, however many sessions end.
    as_uid(APP, || random_parcels(&service.socket, 0x2545_f491_4f6c_dd1d, 2000));
    assert!(service.client().stats().is_ok());
    let by_the_app = |call: &String| call.contains(&APP.to_string());
    assert!(!service.state().calls.iter().any(|it| it.starts_with("session") && by_the_app(it)));
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn a_thousand_clients_at_once_leave_the_others_alone() {
    let service = Service::on_socket().with_apps();
    let admin = service.client();
    let before = threads();
    let connect = |_| {
        let mut stream = UnixStream::connect(&service.socket).unwrap();
        // The service may have hung up already.
        let _ = stream.write_all(&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        stream
    };
    let crowd: Vec<UnixStream> =
        (0..40).flat_map(|app| as_uid(20_000 + app, || (0..25).map(connect).collect::<Vec<_>>())).collect();
    assert_eq!(crowd.len(), 1000);
    let begin = Instant::now();
    assert!(admin.stats().is_ok(), "a session that was there before");
    assert!(service.client().stats().is_ok(), "and a new one");
    assert!(as_uid(APP, || service.client().packages()).is_ok(), "of an app, too");
    assert!(begin.elapsed() < Duration::from_secs(10));
    // 512 of apps, as many again that are ending, and those of other tests.
    assert!(threads() < before + 1300, "{} threads", threads());
    drop(crowd);
    let deadline = Instant::now() + Duration::from_secs(20);
    while threads() > before + 150 {
        assert!(Instant::now() < deadline, "{} threads are left", threads());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn clients_that_die_holding_everything_leave_nothing() {
    let service = Service::on_socket().with_apps();
    let fds = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = fds();
    for _ in 0..3 {
        let held: Vec<UnixStream> = as_uid(APP, || {
            let half = |n: usize| {
                let mut stream = greeted(&service.socket);
                let address = root(&mut stream);
                let whole = call(address, code(MEDIAGATE, "stats"), &token(MEDIAGATE));
                // Each ends in another place: in the header, in the call, before the answer is read.
                stream.write_all(&whole[..(n * 7).min(whole.len())]).unwrap();
                stream
            };
            (0..20).map(half).collect()
        });
        drop(held);
        // As many connections as an app gets back in the time.
        std::thread::sleep(Duration::from_secs(1));
    }
    assert!(service.client().stats().is_ok());
    let deadline = Instant::now() + Duration::from_secs(20);
    while fds() > before + 300 {
        assert!(Instant::now() < deadline, "{} descriptors are left", fds());
        std::thread::sleep(Duration::from_millis(50));
    }
}
