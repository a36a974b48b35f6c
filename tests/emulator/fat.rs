//! Public volumes on vfat and exfat: files cannot say who owns them, and one file has many names.

use std::path::PathBuf;

use mediagate::config::VolumeKindConfig;
use mediagate_tests::{Package, World};
use nix::sys::signal::Signal;

use crate::places;

const OWNER: &str = "com.example.owner";
const OTHER: &str = "com.example.other";
/// Mounted by `guest/suite`.
const PLACES: [&str; 2] = ["/emulator/vfat", "/emulator/exfat"];

struct Card {
    world: World,
    mount: PathBuf,
    _dir: tempfile::TempDir,
}

impl Card {
    fn new(place: &str) -> Card {
        let dir = tempfile::tempdir_in(place).unwrap();
        std::fs::create_dir_all(dir.path().join("Download")).unwrap();
        let mut world = World::new(&[Package::new(OWNER, 10_131), Package::new(OTHER, 10_132)]);
        let mount = world.add_volume("card", VolumeKindConfig::Public);
        world.config.volumes[1].lower = dir.path().to_owned();
        world.start();
        Card { world, mount, _dir: dir }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.mount.join(path)
    }

    /// Whether the owner may read a file by this path and the other may not; `None` if the owner may not either.
    fn is_the_owners(&self, path: &str) -> Option<bool> {
        let readable = self.world.app(OWNER).can_read(self.at(path)).is_ok();
        readable.then(|| self.world.app(OTHER).can_read(self.at(path)).is_err_and(|e| e.0 == libc::EACCES))
    }

    fn list(&self, app: &str) -> Vec<String> {
        self.world.app(app).list(self.at("Download")).unwrap()
    }

    /// Ends the service in this way and starts it anew, so that it knows no names.
    fn again(&mut self, signal: Signal) {
        self.world.daemon().stop(signal);
        self.world.start_over();
    }
}

#[test]
#[ignore = "needs FAT: tests/emulator/run"]
fn the_first_name_that_is_asked_for_may_be_another_spelling() {
    for place in places(PLACES) {
        let mut card = Card::new(place);
        card.world.app(OWNER).create(card.at("Download/Mine is Long.bin"), b"mine").unwrap();
        for signal in [Signal::SIGTERM, Signal::SIGKILL] {
            card.again(signal);
            for path in
                ["download/MINE IS long.BIN", "DOWNLOAD/Mine is Long.bin", "Download/mine is long.bin"]
            {
                assert_eq!(card.is_the_owners(path), Some(true), "{place}: {path} after {signal}");
            }
            card.world.daemon().wait_until_indexed();
            assert_eq!(card.is_the_owners("download/mine IS LONG.bin"), Some(true), "{place}");
            assert_eq!(card.list(OWNER), ["Mine is Long.bin"], "{place}");
            assert_eq!(card.list(OTHER), [""; 0], "{place}");
            let exists = card.world.app(OTHER).create(card.at("download/mine is LONG.bin"), b"").unwrap_err();
            assert_eq!(exists.0, libc::EEXIST, "{place}");
        }
        assert_eq!(
            card.world.daemon().stat("open.daemon"),
            0,
            "{place}: the bytes go by the daemon here, too"
        );
    }
}

#[test]
#[ignore = "needs FAT: tests/emulator/run"]
fn a_name_that_fat_takes_for_another_is_nobodys() {
    for place in places(PLACES) {
        let card = Card::new(place);
        let mut owner = card.world.app(OWNER);
        owner.create(card.at("Download/a long name.bin"), b"mine").unwrap();
        for alias in ["a long name.bin.", "a long name.bin ", "ALONGN~1.BIN"] {
            let path = card.at(&format!("Download/{alias}"));
            assert_eq!(owner.can_read(&path).unwrap_err().0, libc::ENOENT, "{place}: {alias:?}");
            assert!(owner.create(&path, b"").is_err(), "{place}: {alias:?}");
        }
        assert_eq!(card.list(OWNER), ["a long name.bin"], "{place}");
    }
}

#[test]
#[ignore = "needs FAT: tests/emulator/run"]
fn renames_and_removals_by_other_spellings_take_the_owner_along() {
    for place in places(PLACES) {
        let mut card = Card::new(place);
        card.world.app(OWNER).create(card.at("Download/draft.bin"), b"mine").unwrap();
        card.world.app(OWNER).create(card.at("Download/Target.bin"), b"old").unwrap();
        card.again(Signal::SIGTERM);
        let mut owner = card.world.app(OWNER);
        owner.rename(card.at("DOWNLOAD/Draft.BIN"), card.at("download/TARGET.bin")).unwrap();
        assert_eq!(card.list(OWNER).len(), 1, "{place}");
        for spelling in ["Download/target.bin", "Download/TARGET.BIN"] {
            assert_eq!(card.is_the_owners(spelling), Some(true), "{place}: {spelling}");
        }
        // What differs in case alone: the file system may keep the old spelling.
        owner.rename(card.at("Download/target.bin"), card.at("Download/tARGET.bin")).unwrap();
        card.again(Signal::SIGKILL);
        card.world.daemon().wait_until_indexed();
        let name = card.list(OWNER).pop().unwrap();
        assert_eq!(name.to_lowercase(), "target.bin", "{place}");
        assert_eq!(card.is_the_owners("Download/TarGet.bin"), Some(true), "{place}");
        assert_eq!(owner.read_all(card.at(&format!("Download/{name}"))).unwrap(), b"mine", "{place}");

        // Its name is another's from now on, and nothing of the first owner is left with it.
        owner.unlink(card.at("download/tARgET.BIN")).unwrap();
        let mut other = card.world.app(OTHER);
        other.create(card.at(&format!("Download/{name}")), b"theirs").unwrap();
        card.again(Signal::SIGTERM);
        assert_eq!(card.is_the_owners("Download/target.bin"), None, "{place}");
        assert_eq!(
            card.world.app(OTHER).read_all(card.at("download/TARGET.bin")).unwrap(),
            b"theirs",
            "{place}"
        );
    }
}
