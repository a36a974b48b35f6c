//! Files in which there may be a location: what they cost beyond the plain ones, and why.

use super::*;
use mediagate_tests::picture::picture;

#[test]
fn a_picture_without_a_location() {
    let mut world = world();
    let mut app = world.app(OWNER);
    directory(&world, &mut app, "plain");
    let files = paths(&world, "plain", "jpg");
    app.create(world.shared("Download/plain/first.jpg"), b"first").unwrap();

    costs(&mut world, "create, write, close", &["lookup", "create", "release"], |_| {
        for (seed, path) in files.iter().enumerate() {
            app.create(path, &picture(seed as u8, false, 4096)).unwrap();
        }
    });
    // As long as somebody writes, who may not see a location walks to another node, so the kernel does not keep the name: it
    // asks once more when the writer is gone. The answer has the attributes, too.
    costs(&mut world, "the first stat after the writer", &["lookup"], |_| {
        stat_each(&mut app, &files);
    });
    costs(&mut world, "a warm stat", &[], |_| {
        stat_each(&mut app, &files);
    });
    costs(&mut world, "open, read, close", &["open", "release"], |_| read_each(&mut app, &files));
    let mut frame = world.app(FRAME);
    costs(&mut world, "the same without the right to see a location", &["open", "release"], |_| {
        read_each(&mut frame, &files);
    });
    let renamed = paths(&world, "plain", "new.jpg");
    costs(&mut world, "rename", &["lookup", "rename"], |_| {
        for (from, to) in files.iter().zip(&renamed) {
            app.rename(from, to).unwrap();
        }
    });
    costs(&mut world, "unlink", &["unlink"], |_| {
        renamed.iter().for_each(|path| app.unlink(path).unwrap());
    });
}

/// Which node a name leads to depends on the caller, and the kernel's names are everybody's: each walk asks.
#[test]
fn a_picture_with_a_location() {
    let mut world = world();
    let mut app = world.app(OWNER);
    directory(&world, &mut app, "located");
    let files = paths(&world, "located", "jpg");
    for (seed, path) in files.iter().enumerate() {
        app.create(path, &picture(seed as u8, true, 4096)).unwrap();
    }
    stat_each(&mut app, &files);
    costs(&mut world, "stat", &["lookup"], |_| stat_each(&mut app, &files));
    costs(&mut world, "open, read, close", &["lookup", "open", "release"], |_| read_each(&mut app, &files));

    let open: Vec<u64> = files.iter().map(|path| app.open(path, libc::O_RDONLY).unwrap()).collect();
    costs(&mut world, "pread of a file that is open", &[], |_| {
        open.iter().for_each(|file| drop(app.read(*file, 0, 4096).unwrap()));
    });
    open.iter().for_each(|file| app.close(*file));

    // Who may not see the location reads through the service, once: then the kernel has the pages.
    let mut frame = world.app(FRAME);
    read_each(&mut frame, &files);
    costs(&mut world, "open, read, close of the redacted view", &["lookup", "open", "release"], |_| {
        read_each(&mut frame, &files);
    });

    let renamed = paths(&world, "located", "new.jpg");
    stat_each(&mut app, &files);
    // Both names are asked for: the old one is not kept.
    costs(&mut world, "rename", &["lookup", "lookup", "rename"], |_| {
        for (from, to) in files.iter().zip(&renamed) {
            app.rename(from, to).unwrap();
        }
    });
    costs(&mut world, "unlink", &["lookup", "unlink"], |_| {
        renamed.iter().for_each(|path| app.unlink(path).unwrap());
    });
}
