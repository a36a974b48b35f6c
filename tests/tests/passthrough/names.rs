//! Open files whose names go away.

use mediagate_tests::World;

use super::{apps, world};

fn started(passthrough: bool) -> World {
    let mut world = world();
    world.config.volumes[0].passthrough = passthrough;
    world.start();
    world
}

#[test]
fn a_file_that_is_unlinked_while_open_goes_on() {
    for passthrough in [true, false] {
        let world = started(passthrough);
        let (mut writer, mut reader) = apps(&world);
        let path = world.shared("Download/gone.bin");
        writer.create(&path, b"0123456789").unwrap();
        let file = writer.open(&path, libc::O_RDWR).unwrap();
        let other = reader.open(&path, libc::O_RDONLY).unwrap();
        writer.unlink(&path).unwrap();
        assert_eq!(reader.stat(&path).unwrap_err().0, libc::ENOENT);
        writer.write(file, Some(5), b"after all").unwrap();
        assert_eq!(reader.read(other, 0, 100).unwrap(), b"01234after all");
        for (app, file) in [(&mut writer, file), (&mut reader, other)] {
            let stat = app.stat_open(file).unwrap();
            assert_eq!((stat.nlink, stat.size), (0, 14), "passthrough={passthrough}");
        }
        writer.job(mediagate_tests::Job::Truncate { file, size: 3 }).unwrap();
        assert_eq!(reader.stat_open(other).unwrap().size, 3);
        // The name is free for another file, which is another file.
        writer.create(&path, b"new").unwrap();
        assert_eq!(reader.read_all(&path).unwrap(), b"new");
        assert_eq!(reader.read(other, 0, 100).unwrap(), b"012");
        writer.close(file);
        reader.close(other);
        assert_eq!(reader.read_all(&path).unwrap(), b"new");
    }
}

#[test]
fn a_file_that_is_replaced_while_open_goes_on() {
    for passthrough in [true, false] {
        let world = started(passthrough);
        let (mut writer, mut reader) = apps(&world);
        let (path, draft) = (world.shared("Download/letter.txt"), world.shared("Download/draft.txt"));
        writer.create(&path, b"the old letter").unwrap();
        let held = reader.open(&path, libc::O_RDONLY).unwrap();
        for round in 0..20 {
            let text = format!("letter {round}");
            writer.create(&draft, text.as_bytes()).unwrap();
            let pen = writer.open(&draft, libc::O_WRONLY | libc::O_APPEND).unwrap();
            writer.rename(&draft, &path).unwrap();
            assert_eq!(reader.read_all(&path).unwrap(), text.as_bytes());
            // What was opened by the old name is the file that has the new one now.
            writer.write(pen, None, b", with love").unwrap();
            writer.close(pen);
            assert_eq!(reader.read_all(&path).unwrap(), format!("{text}, with love").as_bytes());
            assert_eq!(reader.stat(&draft).unwrap_err().0, libc::ENOENT);
            assert_eq!(reader.read(held, 0, 100).unwrap(), b"the old letter", "passthrough={passthrough}");
            assert_eq!(reader.stat_open(held).unwrap().nlink, 0);
        }
    }
}
