//! Volumes that somebody else mounts, as vold does on a device: open /dev/fuse, mount(2), hand the descriptor over.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use mediagate::binder::{Client, ClientError};
use mediagate::control::ControlError;
use mediagate_tests::{Package, World, as_app};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

const CAMERA: u32 = 10101;
const GALLERY: u32 = 10102;
const NOTES: u32 = 10103;
/// `uid / 100000` is the user.
const PER_USER: u32 = 100_000;

/// The numbers of `VolumeState`.
const MOUNTED: i32 = 2;
const EJECTING: i32 = 5;

/// A service without a volume, and what vold would do beside it.
struct Vold {
    world: World,
    mounts: Vec<PathBuf>,
}

impl Vold {
    fn new() -> Vold {
        let mut world = World::new(&[
            Package::new("com.example.camera", CAMERA).users(&[0, 10]),
            Package::new("com.example.gallery", GALLERY).permissions(&["READ_MEDIA_IMAGES"]),
            Package::new("com.example.notes", NOTES),
        ]);
        world.config.volumes.clear();
        world.start();
        Vold { world, mounts: Vec::new() }
    }

    fn client(&mut self) -> Client {
        Client::connect(self.world.daemon().address()).unwrap()
    }

    /// Mounts at a directory of the world, which is made.
    fn mount(&mut self, at: &str) -> (PathBuf, OwnedFd) {
        let path = self.world.path(at);
        fs::create_dir_all(&path).unwrap();
        let device: OwnedFd = fs::File::options().read(true).write(true).open("/dev/fuse").unwrap().into();
        // As MountUserFuse of system/vold/Utils.cpp has it.
        let options = format!("fd={},rootmode=40000,allow_other,user_id=0,group_id=0", device.as_raw_fd());
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC | MsFlags::MS_NOATIME;
        mount(Some("/dev/fuse"), &path, Some("fuse"), flags, Some(options.as_str())).unwrap();
        self.mounts.push(path.clone());
        (path, device)
    }

    /// A lower directory with a directory for each of these users.
    fn lower(&self, name: &str, users: &[&str]) -> PathBuf {
        let path = self.world.path(name);
        users.iter().for_each(|user| fs::create_dir_all(path.join(user)).unwrap());
        fs::create_dir_all(&path).unwrap();
        path
    }
}

impl Drop for Vold {
    fn drop(&mut self) {
        for path in &self.mounts {
            let _ = umount2(path, MntFlags::MNT_DETACH);
        }
    }
}

fn is_mounted(path: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    mounts.lines().any(|line| line.split(' ').nth(1) == path.to_str())
}

fn refused(result: Result<(), ClientError>) -> ControlError {
    match result {
        Err(ClientError::Failed(error)) => error,
        other => panic!("expected an error of the service, got {other:?}"),
    }
}

#[test]
fn apps_are_served_through_the_mount_of_another() {
    let mut vold = Vold::new();
    let (upper, device) = vold.mount("mnt/user/0/emulated");
    let lower = vold.lower("data/media", &["0"]);
    vold.client().start_session("emulated;0", device, &upper, &lower).unwrap();

    let photo = upper.join("0/DCIM/cat.jpg");
    as_app(CAMERA, {
        let photo = photo.clone();
        move || fs::write(photo, b"pixels").unwrap()
    });
    assert_eq!(fs::read(lower.join("0/DCIM/cat.jpg")).unwrap(), b"pixels");
    for (uid, sees) in [(GALLERY, true), (NOTES, false)] {
        let photo = photo.clone();
        let read = as_app(uid, move || fs::read(photo).map_err(|error| error.raw_os_error().unwrap()));
        assert_eq!(read, if sees { Ok(b"pixels".to_vec()) } else { Err(libc::EACCES) }, "{uid}");
    }
    let daemon = vold.world.daemon();
    assert_eq!(daemon.numbers(["fuse.requests.read", "fuse.requests.write"]), [0, 0], "passed through");
    assert!(daemon.stat("open.passthrough") >= 2);
    let volumes: Vec<serde_json::Value> =
        serde_json::from_str(&daemon.cli(&["volume", "list", "--json"])).unwrap();
    assert_eq!(volumes[0]["name"], "external_primary");
    assert_eq!(volumes[0]["passthrough"], "upstream");
    // What others do behind the mount is seen, and the store works through it.
    daemon.wait_until_indexed();
    let found = daemon.cli(&["query", "--json"]);
    assert!(found.contains("external_primary"), "{found}");

    vold.client().volume_state_changed("emulated;0", MOUNTED).unwrap();
    vold.client().end_session("emulated;0").unwrap();
    assert!(!is_mounted(&upper));
    assert_eq!(vold.world.daemon().stat("volumes"), 0);
    assert!(matches!(refused(vold.client().end_session("emulated;0")), ControlError::NotFound(_)));
}

#[test]
fn each_user_has_a_session_of_its_own_over_one_lower_directory() {
    let mut vold = Vold::new();
    let lower = vold.lower("data/media", &["0", "10"]);
    for user in ["0", "10"] {
        let (upper, device) = vold.mount(&format!("mnt/user/{user}/emulated"));
        vold.client().start_session(&format!("emulated;{user}"), device, &upper, &lower).unwrap();
    }
    for (user, uid) in [("0", CAMERA), ("10", 10 * PER_USER + CAMERA)] {
        let path = vold.world.path(&format!("mnt/user/{user}/emulated/{user}/DCIM/a.jpg"));
        as_app(uid, move || fs::write(path, user).unwrap());
        assert_eq!(fs::read_to_string(lower.join(user).join("DCIM/a.jpg")).unwrap(), user);
    }
    // Neither mount has the other user's tree.
    let other = vold.world.path("mnt/user/0/emulated/10");
    assert!(fs::metadata(other).is_err());
    vold.client().end_session("emulated;10").unwrap();
    let kept = vold.world.path("mnt/user/0/emulated/0/DCIM/a.jpg");
    as_app(CAMERA, move || assert_eq!(fs::read_to_string(kept).unwrap(), "0"));
}

/// Of many that are started at once, of one id and over one directory, there is one in the end.
#[test]
fn sessions_that_are_started_at_once_are_checked_against_each_other() {
    let mut vold = Vold::new();
    let lower = vold.lower("card", &[]);
    let mounts: Vec<_> = (0..6).map(|number| vold.mount(&format!("mnt/user/0/CARD-{number}"))).collect();
    let address = vold.world.daemon().address().to_owned();
    let together = std::sync::Barrier::new(mounts.len());
    let results: Vec<_> = std::thread::scope(|scope| {
        let start = |(upper, device): (PathBuf, OwnedFd)| {
            let (address, lower, together) = (&address, &lower, &together);
            scope.spawn(move || {
                let client = Client::connect(address).unwrap();
                together.wait();
                client.start_session("public:7,1", device, &upper, lower)
            })
        };
        let threads: Vec<_> = mounts.into_iter().map(start).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let (good, bad): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(good.len(), 1, "{bad:?}");
    for it in bad {
        assert!(matches!(refused(it), ControlError::AlreadyExists(_)));
    }
    assert_eq!(vold.world.daemon().stat("volumes"), 1);
    vold.client().end_session("public:7,1").unwrap();
    assert_eq!(vold.world.daemon().stat("volumes"), 0);
}

#[test]
fn a_card_that_is_ejected_lets_go_of_its_lower_directory() {
    let mut vold = Vold::new();
    let lower = vold.lower("card", &[]);
    mount(Some("tmpfs"), &lower, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    vold.mounts.push(lower.clone());
    fs::create_dir(lower.join("DCIM")).unwrap();
    let (upper, device) = vold.mount("mnt/user/0/1A2B-3C4D");
    vold.client().start_session("public:7,1", device, &upper, &lower).unwrap();
    as_app(CAMERA, {
        let upper = upper.clone();
        move || fs::write(upper.join("DCIM/a.jpg"), b"pixels").unwrap()
    });
    let listed = vold.world.daemon().cli(&["volume", "list", "--json"]);
    assert!(listed.contains("\"1a2b-3c4d\""), "{listed}");
    vold.client().free_cache().unwrap();
    assert_eq!(vold.world.daemon().stat("backing.parked"), 0);

    vold.client().volume_state_changed("public:7,1", EJECTING).unwrap();
    assert!(!is_mounted(&upper));
    // Said twice, and after the end: vold says what it says.
    vold.client().volume_state_changed("public:7,1", EJECTING).unwrap();
    // The workers end with the mount, which the kernel takes apart in its own time.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while umount2(&lower, MntFlags::empty()).is_err() {
        assert!(std::time::Instant::now() < deadline, "the lower directory is still in use");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn a_mount_that_vold_took_away_first_is_no_trouble() {
    let mut vold = Vold::new();
    let lower = vold.lower("card", &[]);
    for _ in 0..3 {
        let (upper, device) = vold.mount("mnt/card");
        vold.client().start_session("public:7,1", device, &upper, &lower).unwrap();
        assert!(fs::read_dir(&upper).is_ok());
        umount2(&upper, MntFlags::MNT_DETACH).unwrap();
        // Somebody else's, at the same place by now.
        mount(Some("tmpfs"), &upper, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
        vold.client().end_session("public:7,1").unwrap();
        assert!(is_mounted(&upper), "what is not the session's stays");
        umount2(&upper, MntFlags::MNT_DETACH).unwrap();
    }
    assert_eq!(vold.world.daemon().stat("volumes"), 0);
}

#[test]
fn what_is_no_session_is_refused_and_nothing_waits_for_it() {
    let mut vold = Vold::new();
    let lower = vold.lower("card", &[]);
    let device =
        || -> OwnedFd { fs::File::options().read(true).write(true).open("/dev/fuse").unwrap().into() };
    let client = vold.client();
    let begin = std::time::Instant::now();
    let nowhere = vold.world.path("nowhere");
    fs::create_dir(&nowhere).unwrap();
    let invalid = |result| matches!(refused(result), ControlError::Invalid(_));
    assert!(
        invalid(client.start_session("public:7,1", device(), &nowhere, &lower)),
        "nothing is mounted there"
    );
    assert!(invalid(client.start_session("stub:7", device(), &nowhere, &lower)), "no id");

    let (upper, mounted) = vold.mount("mnt/card");
    let client = vold.client();
    let null = fs::File::open("/dev/null").unwrap();
    assert!(invalid(client.start_session("public:7,1", null.into(), &upper, &lower)), "no FUSE device");
    assert!(
        invalid(client.start_session("public:7,1", device(), &upper, &lower)),
        "not the one that it was mounted with"
    );
    assert!(invalid(client.start_session(
        "public:7,1",
        mounted.as_fd().try_clone_to_owned().unwrap(),
        &upper,
        Path::new("/no/such")
    )));
    // Whose first message somebody else has read.
    let mut buffer = vec![0; 1 << 16];
    assert!(nix::unistd::read(&mounted, &mut buffer).unwrap() > 0);
    assert!(invalid(client.start_session(
        "public:7,1",
        mounted.as_fd().try_clone_to_owned().unwrap(),
        &upper,
        &lower
    )));
    assert!(begin.elapsed() < std::time::Duration::from_secs(40));
    assert_eq!(vold.world.daemon().stat("volumes"), 0);
    drop(mounted);

    // One session to an id, one volume to a name, one lower directory to a card.
    let (upper, device) = vold.mount("mnt/card2");
    client.start_session("public:7,1", device, &upper, &lower).unwrap();
    for (id, at, below) in [
        ("public:7,1", "mnt/a", "other"),
        ("public:7,2", "mnt/b/card2", "other"),
        ("public:7,3", "mnt/c", "card"),
    ] {
        let (upper, device) = vold.mount(at);
        let lower = vold.lower(below, &[]);
        let error = refused(client.start_session(id, device, &upper, &lower));
        assert!(matches!(error, ControlError::AlreadyExists(_) | ControlError::Invalid(_)), "{id}: {error}");
    }
    assert!(fs::read_dir(&upper).is_ok(), "the one that was there is served");
}

#[test]
fn a_service_that_ends_takes_its_sessions_along() {
    let mut vold = Vold::new();
    let lower = vold.lower("data/media", &["0"]);
    let (upper, device) = vold.mount("mnt/emulated");
    vold.client().start_session("emulated;0", device, &upper, &lower).unwrap();
    assert!(fs::read_dir(upper.join("0")).is_ok());
    let status = vold.world.daemon().stop(nix::sys::signal::Signal::SIGTERM);
    assert!(status.success());
    assert!(!is_mounted(&upper));
    // A new one begins anew, over the same files.
    vold.world.start();
    let (upper, device) = vold.mount("mnt/emulated");
    vold.client().start_session("emulated;0", device, &upper, &lower).unwrap();
    assert!(upper.join("0/DCIM").is_dir());
}
