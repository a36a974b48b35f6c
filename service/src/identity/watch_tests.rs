use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::*;

const SOON: Duration = Duration::from_secs(2);
const QUIET: Duration = Duration::from_millis(300);

fn watch(file: &Path) -> (WatchGuard, Receiver<()>) {
    let (send, receive) = channel();
    (watch_file(file, Box::new(move || send.send(()).unwrap_or_default())).unwrap(), receive)
}

#[test]
fn finished_changes_count_and_others_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("list");
    let (_guard, changes) = watch(&file);
    std::fs::write(dir.path().join("other"), "x").unwrap();
    std::fs::create_dir(dir.path().join("list.d")).unwrap();
    assert!(changes.recv_timeout(QUIET).is_err(), "other names");

    std::fs::rename(dir.path().join("other"), &file).unwrap();
    changes.recv_timeout(SOON).expect("renamed into place");
    let mut open = std::fs::File::create(&file).unwrap();
    std::io::Write::write_all(&mut open, b"half").unwrap();
    assert!(changes.recv_timeout(QUIET).is_err(), "still being written");
    drop(open);
    changes.recv_timeout(SOON).expect("closed after writing");
    std::fs::remove_file(&file).unwrap();
    assert!(changes.recv_timeout(QUIET).is_err(), "gone");
}

#[test]
fn a_burst_is_one_change_or_few() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("list");
    let (guard, changes) = watch(&file);
    for _ in 0..200 {
        std::fs::write(&file, "x").unwrap();
    }
    changes.recv_timeout(SOON).unwrap();
    std::thread::sleep(QUIET);
    drop(guard);
    assert!(changes.iter().count() < 50);
}

#[test]
fn a_replaced_directory_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("system");
    std::fs::create_dir(&inner).unwrap();
    let file = inner.join("list");
    let (_guard, changes) = watch(&file);
    std::fs::rename(&inner, dir.path().join("old")).unwrap();
    std::fs::create_dir(&inner).unwrap();
    changes.recv_timeout(2 * SOON).expect("the new directory may hold anything");
    std::fs::write(&file, "x").unwrap();
    changes.recv_timeout(SOON).expect("watched as before");
}

#[test]
fn the_thread_ends_with_its_guard() {
    let dir = tempfile::tempdir().unwrap();
    let (guard, changes) = watch(&dir.path().join("list"));
    let begin = Instant::now();
    drop(guard);
    assert!(begin.elapsed() < SOON);
    // The callback, and with it the sender, went with the thread.
    assert!(matches!(changes.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected)));
}

#[test]
fn a_directory_that_does_not_exist_cannot_be_watched() {
    let dir = tempfile::tempdir().unwrap();
    let failed = watch_file(&dir.path().join("none/list"), Box::new(|| {}));
    assert!(failed.unwrap_err().to_string().contains("cannot be watched"));
}
