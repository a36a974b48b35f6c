//! Clients that send nonsense, nothing, or too much, next to one that wants to be served.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mediagate::binder::{Client, ClientError};
use mediagate::control::ExplainRequest;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};

use crate::fake::{ADMIN, APP, OTHER, as_uid};
use crate::service::Service;
use crate::wire::{answer, call, greeted, header, one_way, root};

/// The first method, and what every object answers (`PING_TRANSACTION`).
const FIRST: u32 = 1;
const PING: u32 = u32::from_be_bytes(*b"_PNG");

#[test]
fn garbage_ends_its_own_connection_only() {
    let service = Service::on_socket();
    let client = service.client();
    let mut noise: u64 = 0x9e37_79b9_7f4a_7c15;
    for round in 0..200 {
        let mut stream = UnixStream::connect(&service.socket).unwrap();
        let bytes: Vec<u8> = (0..round * 7)
            .map(|_| {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                noise as u8
            })
            .collect();
        // The service may hang up before it has all.
        let _ = stream.write_all(&bytes);
    }
    assert!(client.stats().is_ok());
    assert!(service.client().stats().is_ok());
}

#[test]
fn a_message_that_claims_to_be_long_is_refused_unread() {
    let service = Service::on_socket();
    for size in [2 << 20, 64 << 20, u32::MAX] {
        let mut stream = greeted(&service.socket);
        stream.write_all(&header(size)).unwrap();
        // Only a refusal ends the connection: the body is not there to be read, and silence may last a minute.
        match stream.read_to_end(&mut Vec::new()) {
            Ok(_) => {}
            Err(e) => assert_eq!(e.kind(), std::io::ErrorKind::ConnectionReset, "{size}"),
        }
    }
    let mut patient = greeted(&service.socket);
    patient.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    patient.write_all(&header(1 << 19)).unwrap();
    assert_eq!(patient.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert!(service.client().stats().is_ok());
}

/// Such calls are kept until those before them have come, and nobody bounds how many bytes that is.
#[test]
fn a_call_that_nobody_waits_for_ends_its_connection() {
    let service = Service::on_socket().with_apps();
    for code in [FIRST, PING] {
        let mut stream = as_uid(APP, || greeted(&service.socket));
        let address = root(&mut stream);
        stream.write_all(&call(address, PING, &[])).unwrap();
        assert_eq!(answer(&mut stream).unwrap().0, 0, "a call with an answer has one");
        // Out of order, and as long as can be. It may hang up before it has all.
        let _ = stream.write_all(&one_way(address, code, 1, &vec![0; 900 << 10]));
        match stream.read_to_end(&mut Vec::new()) {
            Ok(_) => {}
            Err(e) => assert_eq!(e.kind(), ErrorKind::ConnectionReset),
        }
    }
    assert!(as_uid(APP, || service.client().packages()).is_ok());
}

#[test]
fn who_does_not_read_its_answers_holds_up_nobody() {
    let mut service = Service::on_socket();
    let mut stream = greeted(&service.socket);
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    // GET_ROOT over and over: RpcWireTransaction to address 0, code 0, no flags (RpcWireFormat.h).
    let mut call = header(40).to_vec();
    call.extend_from_slice(&[0; 40]);
    stream.write_all(&call).unwrap();
    stream.read_exact(&mut [0; 16]).expect("it is a call that has an answer");
    let mut sent = 0;
    while sent < 64 << 20 && stream.write_all(&call).is_ok() {
        sent += call.len();
    }
    assert!(sent < 64 << 20, "the service stopped reading as its answers were not taken");
    assert!(service.client().stats().is_ok());
    let start = Instant::now();
    service.serving = None;
    assert!(start.elapsed() < Duration::from_secs(4), "stopping does not wait for it");
}

#[test]
fn many_clients_at_once_are_all_answered() {
    let service = Service::on_socket().with_apps();
    std::thread::scope(|scope| {
        for uid in [0, APP].repeat(8) {
            let service = &service;
            scope.spawn(move || {
                as_uid(uid, || {
                    let client = service.client();
                    for _ in 0..50 {
                        assert_eq!(client.packages().unwrap().len(), if uid == 0 { 2 } else { 1 });
                    }
                });
            });
        }
    });
}

#[test]
fn a_service_that_panics_in_a_call_serves_the_next() {
    let service = Service::on_socket();
    let request = ExplainRequest { uid: 1, operation: "read".to_owned(), path: b"/panic".to_vec(), to: None };
    assert!(service.client().explain(&request).is_err());
    assert!(service.client().stats().is_ok());
}

#[test]
fn many_idle_connections_disturb_nobody() {
    let service = Service::on_socket();
    let connect = || (0..200).map(|_| UnixStream::connect(&service.socket).unwrap()).collect::<Vec<_>>();
    let admin = service.client();
    let of_an_app = as_uid(APP, connect);
    let start = Instant::now();
    assert!(admin.stats().is_ok(), "a session that was there before");
    assert!(service.client().stats().is_ok(), "and a new one");
    // Even those of one's own uid push out one another, not who shakes hands.
    let of_root = connect();
    assert!(admin.stats().is_ok(), "a session that was there before");
    assert!(service.client().stats().is_ok(), "and a new one");
    assert!(start.elapsed() < Duration::from_secs(5));
    drop((of_an_app, of_root));
}

#[test]
fn a_thousand_sessions_in_a_row_leave_no_thread_or_descriptor() {
    let count = |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    let service = Service::on_socket();
    for _ in 0..20 {
        service.client().stats().unwrap();
    }
    let (threads, fds) = (count("task"), count("fd"));
    for _ in 0..1000 {
        service.client().stats().unwrap();
    }
    // Other tests of this process come and go meanwhile, and the last threads take a moment to end.
    let deadline = Instant::now() + Duration::from_secs(10);
    while count("task") > threads + 150 || count("fd") > fds + 600 {
        assert!(Instant::now() < deadline, "{} threads, {} descriptors", count("task"), count("fd"));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_client_does_not_wait_for_ever_for_a_service_that_is_stuck() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.sock");
    // Listens, and never accepts.
    let _stuck = UnixListener::bind(&path).unwrap();
    let start = Instant::now();
    let error = Client::connect(&format!("unix://{}", path.display())).unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(15));
}

/// Held by a test that attacks with all its might: one attack at a time is what the bounds on waiting are for.
static ATTACK: Mutex<()> = Mutex::new(());

/// What a hostile app does to `socket` until `over`; the number of its connections.
fn connect_in_a_loop(
    socket: &std::path::Path,
    over: &AtomicBool,
    after: impl Fn(&mut UnixStream),
    hold: usize,
) -> usize {
    let mut held = VecDeque::new();
    let mut connections = 0;
    while !over.load(Ordering::Relaxed) {
        let Ok(mut stream) = UnixStream::connect(socket) else { continue };
        connections += 1;
        after(&mut stream);
        held.push_back(stream);
        if held.len() > hold {
            held.pop_front();
        }
    }
    connections
}

fn revoke(service: &Service) -> Result<(), ClientError> {
    Client::connect(&service.uri)?.set_permission("com.example.camera", "READ_MEDIA_IMAGES", false)
}

#[test]
fn an_app_that_connects_in_a_loop_cannot_hold_off_its_own_revocation() {
    let service = Service::on_socket().with_apps();
    let over = AtomicBool::new(false);
    let _alone = ATTACK.lock();
    let start = Instant::now();
    let (mut waits, connections) = std::thread::scope(|scope| {
        let attack = |after: fn(&mut UnixStream), hold| {
            let (service, over) = (&service, &over);
            scope.spawn(move || as_uid(APP, || connect_in_a_loop(&service.socket, over, after, hold)))
        };
        let half_a_greeting: fn(&mut UnixStream) = |stream| drop(stream.write_all(&[2, 0, 0, 0, 0]));
        let attackers =
            [attack(|_| (), 0), attack(|_| (), 0), attack(|_| (), 2000), attack(half_a_greeting, 500)];
        std::thread::sleep(Duration::from_millis(500));

        let mut results = Vec::new();
        for _ in 0..20 {
            let call = Instant::now();
            let revoked = revoke(&service);
            results.push(("root's revocation", revoked, call.elapsed()));
            let call = Instant::now();
            let explained = as_uid(OTHER, || {
                let request = ExplainRequest {
                    uid: OTHER,
                    operation: "read".to_owned(),
                    path: b"/storage/emulated/0/DCIM/a.jpg".to_vec(),
                    to: None,
                };
                Client::connect(&service.uri)?.explain(&request).map(drop)
            });
            results.push(("another app's question", explained, call.elapsed()));
            std::thread::sleep(Duration::from_millis(175));
        }
        let lasted = start.elapsed();
        over.store(true, Ordering::Relaxed);
        let connections: usize = attackers.into_iter().map(|attacker| attacker.join().unwrap()).sum();
        let waits = results.into_iter().filter_map(|(what, result, took)| {
            result.unwrap_or_else(|e| panic!("{what}, after {took:?}: {e}"));
            what.starts_with("root").then_some(took)
        });
        assert!(lasted >= Duration::from_secs(4));
        (waits.collect::<Vec<_>>(), connections)
    });
    waits.sort();
    assert!(connections > 10_000, "no attack: {connections} connections");
    assert!(waits[waits.len() * 95 / 100 - 1] < Duration::from_millis(500), "{waits:?}");
}

#[test]
fn an_app_with_many_threads_cannot_hold_off_its_own_revocation() {
    let service = Service::on_socket().with_apps();
    let over = AtomicBool::new(false);
    let _alone = ATTACK.lock();
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                as_uid(APP, || {
                    let address = UnixAddr::new(&service.socket).unwrap();
                    // Without waiting, so that it never sleeps and takes each free place in the queue at once.
                    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
                    while !over.load(Ordering::Relaxed) {
                        let stream = socket(AddressFamily::Unix, SockType::Stream, flags, None).unwrap();
                        while connect(stream.as_raw_fd(), &address).is_err() && !over.load(Ordering::Relaxed)
                        {
                            std::hint::spin_loop();
                        }
                    }
                });
            });
        }
        std::thread::sleep(Duration::from_millis(500));
        let results: Vec<_> = (0..10).map(|_| (Instant::now(), revoke(&service), Instant::now())).collect();
        over.store(true, Ordering::Relaxed);
        let waits: Vec<_> = results.iter().map(|(before, _, after)| *after - *before).collect();
        for (_, result, _) in results {
            result.unwrap_or_else(|e| panic!("{e}: {waits:?}"));
        }
    });
}

#[test]
fn root_has_a_socket_that_apps_cannot_reach() {
    let mut service = Service::on_socket().with_apps();
    let private = service.socket.with_file_name("mediagate.sock.admin");
    let metadata = std::fs::metadata(&private).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
    let error = as_uid(APP, || UnixStream::connect(&private)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(as_uid(APP, || service.client().packages()).is_ok(), "apps use the one for all");

    std::fs::remove_file(&service.socket).unwrap();
    assert!(revoke(&service).is_ok(), "root does not need it");
    service.serving = None;
    assert!(!private.exists());
}

#[test]
fn administrators_that_are_not_root_have_no_rate() {
    let service = Service::on_socket().with_apps();
    as_uid(ADMIN, || (0..300).for_each(|n| revoke(&service).unwrap_or_else(|e| panic!("{n}: {e}"))));
    let refused = as_uid(APP, || (0..300).find_map(|_| Client::connect(&service.uri).err()));
    let message = refused.expect("an app has one").to_string();
    assert!(message.contains("connects too often"), "{message}");
}
