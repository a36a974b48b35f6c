//! What is counted while files are open, and that it goes back.

use super::budget::wait_for_gauge;
use super::{apps, world};

#[test]
fn later_opens_share_the_backing_file_and_the_last_close_gives_it_back() {
    let mut world = world();
    world.start();
    let (mut writer, mut reader) = apps(&world);
    let path = world.shared("Download/shared.bin");
    writer.create(&path, b"shared").unwrap();
    wait_for_gauge(&mut world, "backing.files", 0);
    wait_for_gauge(&mut world, "handles.files", 0);
    wait_for_gauge(&mut world, "backing.parked", 0);
    let fds = world.daemon().stat("process.open_fds");
    let (registered, reused) =
        (world.daemon().stat("backing.registered"), world.daemon().stat("backing.reused"));

    let first = writer.open(&path, libc::O_RDWR).unwrap();
    let second = reader.open(&path, libc::O_RDONLY).unwrap();
    let third = writer.open(&path, libc::O_WRONLY | libc::O_APPEND).unwrap();
    assert_eq!(world.daemon().stat("backing.registered"), registered + 1);
    assert_eq!(world.daemon().stat("backing.reused"), reused + 2);
    assert_eq!(world.daemon().stat("backing.files"), 1);
    assert_eq!(world.daemon().stat("handles.files"), 3);
    writer.close(first);
    wait_for_gauge(&mut world, "handles.files", 2);
    assert_eq!(world.daemon().stat("backing.files"), 1, "it stays while anything is open");
    writer.write(third, None, b" and appended").unwrap();
    assert_eq!(reader.read(second, 0, 100).unwrap(), b"shared and appended");
    writer.close(third);
    reader.close(second);
    wait_for_gauge(&mut world, "handles.files", 0);
    wait_for_gauge(&mut world, "backing.files", 0);
    wait_for_gauge(&mut world, "backing.parked", 0);
    wait_for_gauge(&mut world, "process.open_fds", fds);
}

#[test]
fn a_file_that_is_opened_again_soon_is_not_registered_again_and_leaves_with_its_name() {
    let mut world = world();
    world.start();
    let (mut writer, mut reader) = apps(&world);
    let path = world.shared("Download/warm.bin");
    writer.create(&path, b"warm").unwrap();
    wait_for_gauge(&mut world, "backing.parked", 1);
    let registered = world.daemon().stat("backing.registered");
    for _ in 0..3 {
        let file = reader.open(&path, libc::O_RDONLY).unwrap();
        assert_eq!(reader.read(file, 0, 100).unwrap(), b"warm");
        reader.close(file);
        wait_for_gauge(&mut world, "handles.files", 0);
    }
    assert_eq!(world.daemon().stat("backing.registered"), registered);
    // Another file of its name, behind the mount: the kept one must not be shown for long.
    std::fs::write(world.lower("Download/other.bin"), b"other").unwrap();
    std::fs::rename(world.lower("Download/other.bin"), world.lower("Download/warm.bin")).unwrap();
    let begin = std::time::Instant::now();
    loop {
        let file = reader.open(&path, libc::O_RDONLY).unwrap();
        let shown = reader.read(file, 0, 100).unwrap();
        reader.close(file);
        if shown == b"other" {
            break;
        }
        assert!(begin.elapsed() < std::time::Duration::from_secs(5), "{shown:?} is still shown");
    }
    reader.unlink(&path).unwrap();
    wait_for_gauge(&mut world, "handles.files", 0);
    assert_eq!(world.daemon().stat("backing.parked"), 0, "its space is to come back at once");
}
