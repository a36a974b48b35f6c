//! Files as an app that may not see a location sees them: through the mount of a real service, with the app's uid.

use std::cell::Cell;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use mediagate::binder::Client;
use mediagate::control::store::MediaQuery;
use mediagate_policy::mime_of;
use mediagate_tests::{Package, World, as_app};

/// Reads all media, and may not see where any was made.
const APP: u32 = 10101;

static SHARED: Mutex<Weak<World>> = Mutex::new(Weak::new());

thread_local! {
    /// The service of all tests that run at the time: it ends with the last of their threads.
    static WORLD: Arc<World> = {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let rights = ["READ_MEDIA_IMAGES", "READ_MEDIA_VIDEO", "READ_MEDIA_AUDIO"];
            let world = Arc::new(World::started(&[Package::new("com.example.frame", APP).permissions(&rights)]));
            *shared = Arc::downgrade(&world);
            world
        })
    };
    static PUT: Cell<u32> = const { Cell::new(0) };
}

/// Puts a copy of `file` on the volume, as nobody's. Its path through the mount; `None` if its name is not one of media, and
/// the app may not read it at all.
pub(crate) fn put(file: &Path) -> Option<PathBuf> {
    let name = file.file_name().unwrap();
    let number = PUT.replace(PUT.get() + 1);
    let dir = format!("DCIM/{:?}-{number}", std::thread::current().id()).replace(['(', ')'], "");
    let (lower, through) = WORLD.with(|world| (world.lower(&dir), world.shared(&dir).join(name)));
    fs::create_dir_all(&lower).unwrap();
    fs::copy(file, lower.join(name)).unwrap();
    if ["image/", "video/", "audio/"].iter().any(|it| mime_of(name.as_encoded_bytes()).starts_with(it)) {
        return Some(through);
    }
    let refused = as_app(APP, move || fs::read(through)).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(libc::EACCES), "{name:?}");
    None
}

/// A file's bytes: what the app sees of it if it is on the volume.
pub(crate) fn read(file: &Path) -> Vec<u8> {
    if !is_through(file) {
        return fs::read(file).unwrap();
    }
    let path = file.to_owned();
    as_app(APP, move || fs::read(path)).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A program is the app if it is given a file of the volume.
pub(crate) fn be_the_app(command: &mut Command, arguments: &[&str]) {
    if arguments.iter().any(|it| is_through(Path::new(it))) {
        // Without supplementary groups, which are dropped along with root's uid.
        command.uid(APP).gid(APP).env("HOME", "/").current_dir("/");
        // Some unpack into files, and the place for the suites' own ones may be root's alone.
        command.env("TMPDIR", "/tmp");
    }
}

/// Asks the interface for a file of the volume until it knows what is in it: where it was made, as the app is told and as root is.
pub(crate) fn told(file: &Path) -> [Option<(i32, i32)>; 2] {
    let socket = WORLD.with(|world| world.config.service.listen[0].clone());
    let name = file.file_name().unwrap().as_encoded_bytes().to_vec();
    let path = file.as_os_str().as_encoded_bytes().to_vec();
    [APP, 0].map(|uid| {
        let (socket, name, path) = (socket.clone(), name.clone(), path.clone());
        as_app(uid, move || {
            let client = Client::connect(&socket).unwrap();
            let query = MediaQuery {
                name_contains: Some(name.clone()),
                limit: 500,
                details: true,
                ..MediaQuery::default()
            };
            let begin = Instant::now();
            loop {
                let page = client.store().unwrap().query(&query).unwrap();
                let found = page.items.into_iter().find(|it| it.path == path).and_then(|it| it.details);
                if let Some(details) = found.filter(|it| it.width > 0) {
                    return details.location_e7;
                }
                assert!(begin.elapsed() < Duration::from_secs(30), "nothing is known of {name:?}");
                std::thread::sleep(Duration::from_millis(50));
            }
        })
    })
}

fn is_through(path: &Path) -> bool {
    WORLD.with(|world| path.starts_with(&world.config.volumes[0].mount))
}
