use std::collections::HashMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use parking_lot::Mutex;

use super::super::ranges::Ranges;
use super::*;

/// Finds the bytes `x`; a file that begins with `!` cannot be understood.
#[derive(Debug, Default)]
struct Letters {
    looks: AtomicU32,
    version: AtomicU32,
}

impl RangeSource for Letters {
    fn may_have_ranges(&self, mime: &str) -> bool {
        mime.starts_with("image/")
    }

    fn find(&self, file: &dyn ReadAt) -> Result<Ranges, Unreadable> {
        self.looks.fetch_add(1, Relaxed);
        let mut data = vec![0; usize::try_from(file.len()).unwrap()];
        let n = file.read_at(&mut data, 0)?;
        data.truncate(n);
        if data.first() == Some(&b'!') {
            return Err(Unreadable::Damaged { what: "the beginning", at: 0 });
        }
        Ok(Ranges::new((0..).zip(data).filter(|(_, byte)| *byte == b'x').map(|(at, _)| (at, at + 1))))
    }

    fn version(&self) -> u32 {
        self.version.load(Relaxed)
    }
}

#[derive(Debug, Default)]
struct Stored(Mutex<HashMap<(u64, u32), (Stamp, Hidden)>>);

impl RangeStore for Stored {
    fn load(&self, stamp: &Stamp, version: u32) -> Option<Hidden> {
        let stored = self.0.lock();
        let (known, hidden) = stored.get(&(stamp.id.ino, version))?;
        (known == stamp).then(|| hidden.clone())
    }

    fn save(&self, stamp: &Stamp, version: u32, hidden: &Hidden) {
        self.0.lock().insert((stamp.id.ino, version), (*stamp, hidden.clone()));
    }
}

struct Room {
    source: Arc<Letters>,
    stored: Arc<Stored>,
    dir: tempfile::TempDir,
}

impl Room {
    fn new() -> Room {
        Room { source: Arc::default(), stored: Arc::default(), dir: tempfile::tempdir().unwrap() }
    }

    fn located(&self, stable: bool) -> Located {
        let store: Arc<dyn RangeStore> = Arc::clone(&self.stored) as Arc<dyn RangeStore>;
        let source: Arc<dyn RangeSource> = Arc::clone(&self.source) as Arc<dyn RangeSource>;
        Located::new(source, Some(store), stable, Arc::default())
    }

    fn write(&self, content: &str) -> std::fs::File {
        let mut file = tempfile::tempfile_in(self.dir.path()).unwrap();
        file.write_all(content.as_bytes()).unwrap();
        file
    }

    fn looks(&self) -> u32 {
        self.source.looks.swap(0, Relaxed)
    }
}

fn ask(located: &Located, file: &std::fs::File) -> Hidden {
    located.of(file.as_fd(), &Meta::of(file.as_fd()).unwrap(), Keep::Store, &|| true).unwrap().0
}

fn settle() {
    std::thread::sleep(TICK + Duration::from_millis(20));
}

#[test]
fn a_settled_file_is_looked_into_once_even_over_a_restart() {
    let room = Room::new();
    let file = room.write("axbx");
    settle();
    let located = room.located(true);
    let expected = Hidden::Bytes(Arc::new(Ranges::new([(1, 2), (3, 4)])));
    for _ in 0..3 {
        assert_eq!(ask(&located, &file), expected);
    }
    assert_eq!(room.looks(), 1);
    assert_eq!(ask(&room.located(true), &file), expected);
    assert_eq!(room.looks(), 0);
    // Another program may find other bytes.
    room.source.version.store(2, Relaxed);
    assert_eq!(ask(&room.located(true), &file), expected);
    assert_eq!(room.looks(), 1);
}

#[test]
fn what_changed_a_moment_ago_is_not_remembered() {
    let room = Room::new();
    let located = room.located(true);
    let file = room.write("x");
    ask(&located, &file);
    ask(&located, &file);
    assert_eq!(room.looks(), 2);
    assert!(room.stored.0.lock().is_empty());
    settle();
    ask(&located, &file);
    ask(&located, &file);
    assert_eq!(room.looks(), 1);
}

#[test]
fn what_somebody_may_have_written_meanwhile_is_not_remembered() {
    let room = Room::new();
    let located = room.located(true);
    let file = room.write("x");
    settle();
    let meta = Meta::of(file.as_fd()).unwrap();
    for _ in 0..2 {
        located.of(file.as_fd(), &meta, Keep::Store, &|| false).unwrap();
    }
    assert_eq!(room.looks(), 2);
}

#[test]
fn what_cannot_be_understood_is_remembered_too() {
    let room = Room::new();
    let file = room.write("!x");
    settle();
    for _ in 0..2 {
        assert_eq!(ask(&room.located(true), &file), Hidden::All);
    }
    assert_eq!(room.looks(), 1);
}

#[test]
fn a_change_is_seen() {
    let room = Room::new();
    let located = room.located(true);
    let mut file = room.write("abc");
    settle();
    assert!(ask(&located, &file).is_nothing());
    file.write_all(b"x").unwrap();
    assert_eq!(ask(&located, &file).count(), 1);
    settle();
    assert_eq!(ask(&located, &file).count(), 1);
}

#[test]
fn nothing_is_remembered_where_inode_numbers_mean_nothing() {
    let room = Room::new();
    let located = room.located(false);
    let file = room.write("x");
    settle();
    ask(&located, &file);
    ask(&located, &file);
    assert_eq!(room.looks(), 2);
    assert!(room.stored.0.lock().is_empty());
}

#[test]
fn what_the_index_does_not_know_is_not_stored() {
    let room = Room::new();
    let located = room.located(true);
    let file = room.write("x");
    settle();
    let meta = Meta::of(file.as_fd()).unwrap();
    for _ in 0..2 {
        assert_eq!(located.of(file.as_fd(), &meta, Keep::Memory, &|| true).unwrap().0.count(), 1);
    }
    assert_eq!(room.looks(), 1);
    assert!(room.stored.0.lock().is_empty());
}

#[test]
fn an_empty_file_hides_nothing_and_costs_nothing() {
    let room = Room::new();
    assert!(ask(&room.located(true), &room.write("")).is_nothing());
    assert_eq!(room.looks(), 0);
}

#[test]
fn a_file_that_never_rests_is_not_understood() {
    #[derive(Debug)]
    struct Restless(std::fs::File);
    impl RangeSource for Restless {
        fn may_have_ranges(&self, _mime: &str) -> bool {
            true
        }
        fn find(&self, _file: &dyn ReadAt) -> Result<Ranges, Unreadable> {
            (&self.0).write_all(b".").unwrap();
            Ok(Ranges::default())
        }
        fn version(&self) -> u32 {
            1
        }
    }
    let room = Room::new();
    let file = room.write("x");
    let located = Located::new(Arc::new(Restless(file.try_clone().unwrap())), None, true, Arc::default());
    assert_eq!(ask(&located, &file), Hidden::All);
}
