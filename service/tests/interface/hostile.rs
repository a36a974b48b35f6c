//! Clients that send nonsense, nothing, or too much, next to one that wants to be served.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use mediagate::binder::{Client, ClientError};

use crate::fake::{APP, Service, as_uid};

#[test]
fn garbage_ends_its_own_connection_only() {
    let service = Service::start();
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
fn a_frame_that_claims_to_be_huge_is_refused() {
    let service = Service::start();
    // RpcConnectionHeader of the android-13 wire: version, options, fd mode, 8 reserved bytes, no session id.
    let mut hello = vec![0; 16];
    hello[..4].copy_from_slice(&2u32.to_le_bytes());
    let mut stream = UnixStream::connect(&service.socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(&hello).unwrap();
    // RpcNewSessionResponse, and "cci" with a reserved byte from us (RpcWireFormat.h).
    let mut response = [0; 8];
    stream.read_exact(&mut response).unwrap();
    stream.write_all(b"cci\0\0\0\0\0").unwrap();
    // RpcWireHeader: TRANSACT, body of 4 GiB less one, 8 reserved bytes.
    let mut header = vec![0; 16];
    header[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    stream.write_all(&header).unwrap();
    let end = stream.read_to_end(&mut Vec::new());
    assert!(end.is_ok() || end.unwrap_err().kind() == std::io::ErrorKind::ConnectionReset);
    assert!(service.client().stats().is_ok());
}

#[test]
fn many_idle_connections_disturb_nobody() {
    let service = Service::start();
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
    let service = Service::start();
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
