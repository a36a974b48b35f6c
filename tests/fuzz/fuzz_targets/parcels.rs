//! Calls of the interface as a client sends them: random methods with random parcels, to the service's own end of a socket with
//! a made-up service behind it. The service answers each, or ends the session; it never panics or hangs.
#![no_main]

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use mediagate::binder::{Serving, serve};

#[path = "../../../service/tests/interface/fake.rs"]
#[allow(dead_code)]
mod fake;
#[path = "../../../service/tests/interface/wire.rs"]
#[allow(dead_code)]
mod wire;

/// What `fake` asks of the tests around it.
mod service {
    pub(crate) fn over_binder() -> bool {
        false
    }
}

/// The service and its socket.
static SERVICE: LazyLock<(Serving, PathBuf)> = LazyLock::new(|| {
    // A panic of the made-up service, which believes what it is told, is none of the interface's.
    let end = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.location().is_some_and(|it| it.file().ends_with("fake.rs")) {
            end(info);
        }
    }));
    let socket = std::env::temp_dir().join(format!("mediagate-fuzz-{}.sock", std::process::id()));
    let uri = format!("unix://{}", socket.display());
    let fake = Arc::new(fake::Fake::default());
    (serve(&[uri], fake).expect("serve on a socket in the temporary directory"), socket)
});

/// One session after the other: a connection for each input would be refused as too many.
static SESSION: Mutex<Option<(UnixStream, [u8; 8])>> = Mutex::new(None);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((code, data)) = data.split_first() else { return };
    let mut session = SESSION.lock().expect("one thread");
    let (stream, address) = session.get_or_insert_with(|| {
        let mut stream = wire::greeted(&SERVICE.1);
        let root = wire::root(&mut stream);
        (stream, root)
    });
    // Every other call passes the check of the interface's name.
    let mut parcel = if code & 1 == 0 { wire::token() } else { Vec::new() };
    parcel.extend(data);
    let sent = stream.write_all(&wire::call(*address, u32::from(code >> 1), &parcel));
    if sent.and_then(|()| wire::answer(stream)).is_err() {
        // It had enough. What answers the next one shows that the service goes on.
        *session = None;
    }
});
