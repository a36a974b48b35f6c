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
    wait_for_gauge(&mut world, "process.open_fds", fds);
}
