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
#[path = "../../../service/tests/interface/methods.rs"]
#[allow(dead_code)]
mod methods;
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

/// A session, and the addresses of what can be called in it, with the names of their interfaces.
struct Session {
    stream: UnixStream,
    objects: [([u8; 8], &'static str); 2],
}

/// One session after the other: a connection for each input would be refused as too many.
static SESSION: Mutex<Option<Session>> = Mutex::new(None);

fn begin() -> Session {
    let mut stream = wire::greeted(&SERVICE.1);
    let root = wire::root(&mut stream);
    let store = wire::store(&mut stream, root);
    Session { stream, objects: [(root, wire::MEDIAGATE), (store, wire::STORE)] }
}

// The first byte: whether the call passes the check of the interface's name, whose interface it is, whether an object comes
// first, as in calls with observers. The second one: the method.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [how, code, data @ ..] = data else { return };
    let mut session = SESSION.lock().expect("one thread");
    let Session { stream, objects } = session.get_or_insert_with(begin);
    let (address, interface) = objects[usize::from(how >> 1 & 1)];
    let mut parcel = if how & 1 == 0 { wire::token(interface) } else { Vec::new() };
    let objects: Vec<u32> = match how & 4 {
        0 => Vec::new(),
        _ => vec![wire::add_object(&mut parcel, u32::from(how >> 3))],
    };
    parcel.extend(data);
    let sent = stream.write_all(&wire::call_with(address, u32::from(*code), &parcel, &objects));
    if sent.and_then(|()| wire::answer(stream)).is_err() {
        // It had enough. What answers the next one shows that the service goes on.
        *session = None;
    }
});
