//! Opening, names, reading and writing, sizes, and files whose names are gone.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FallocateFlags, Mode, OFlags, SeekFrom as Whence, fallocate, openat, seek};

use crate::log::Log;

/// A file with these bytes, open for reading and writing.
pub(crate) fn new(path: &Path, bytes: &[u8]) -> File {
    let mut file = File::options().read(true).write(true).create_new(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn open(path: &Path, flags: OFlags) -> rustix::io::Result<File> {
    openat(CWD, path, flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o600)).map(File::from)
}

pub(crate) fn opening(dir: &Path, log: &mut Log) {
    let (file, sub) = (dir.join("f"), dir.join("d"));
    drop(new(&file, b"12345"));
    fs::create_dir(&sub).unwrap();
    let at = |name: &str| dir.join(name);
    let create = OFlags::CREATE | OFlags::RDWR;
    for (what, path, flags) in [
        ("nothing", at("none"), OFlags::RDONLY),
        ("nothing, in nothing", at("none/x"), create),
        ("a file, as a directory", file.clone(), OFlags::RDONLY | OFlags::DIRECTORY),
        ("a directory, to read", sub.clone(), OFlags::RDONLY),
        ("a directory, to write", sub.clone(), OFlags::WRONLY),
        ("a directory, to read and write", sub.clone(), OFlags::RDWR),
        ("a directory, to create it", sub.clone(), create),
        ("a directory, to empty it", sub.clone(), OFlags::RDWR | OFlags::TRUNC),
        ("a file that must be new and is not", file.clone(), create | OFlags::EXCL),
        ("a directory that must be new and is not", sub.clone(), create | OFlags::EXCL),
        ("a new directory", at("none"), create | OFlags::DIRECTORY),
        ("something in a file", at("f/x"), OFlags::RDONLY),
        ("a new one in a file", at("f/x"), create),
        ("a file with a slash behind", at("f/"), OFlags::RDONLY),
        ("a new one with a slash behind", at("new/"), create),
        ("a directory with a slash behind", at("d/"), OFlags::RDONLY),
        ("dot", at("."), OFlags::RDONLY),
        ("dot, to create it", at("."), create),
        ("dot dot of a directory", at("d/.."), OFlags::RDONLY),
        ("dot dot of a file", at("f/.."), OFlags::RDONLY),
        ("the empty name", PathBuf::new(), OFlags::RDONLY),
        ("a file, not through links", file.clone(), OFlags::RDWR | OFlags::NOFOLLOW),
        ("a file, without the cache", file.clone(), OFlags::RDWR | OFlags::DIRECT),
        ("a file, synchronously", file.clone(), OFlags::RDWR | OFlags::SYNC),
        ("a file, without waiting", file.clone(), OFlags::RDWR | OFlags::NONBLOCK),
        ("a file without a name", dir.to_owned(), OFlags::TMPFILE | OFlags::RDWR),
        ("a file, without access times", file.clone(), OFlags::RDONLY | OFlags::NOATIME),
    ] {
        log.call(what, open(&path, flags));
    }
    let place = open(&file, OFlags::PATH).unwrap();
    log.value("a place has a size", place.metadata().map(|it| it.len()));
    log.value("a place is not read", place.read_at(&mut [0; 2], 0));
    let from_dir = File::open(dir).unwrap();
    log.call("openat", openat(&from_dir, "f", OFlags::RDONLY, Mode::empty()));
    log.call("openat below a file", openat(&place, "f", OFlags::RDONLY, Mode::empty()));
    log.call("opened for writing with O_TRUNC", open(&file, OFlags::WRONLY | OFlags::TRUNC));
    log.value("it is empty", fs::metadata(&file).map(|it| it.len()));
}

pub(crate) fn names(dir: &Path, log: &mut Log) {
    let long = "n".repeat(255);
    let too_long = "n".repeat(256);
    let path_too_long = "d/".repeat(2100);
    for (what, name) in [
        ("255 bytes", long.as_bytes()),
        ("256 bytes", too_long.as_bytes()),
        ("a path of more than 4096", path_too_long.as_bytes()),
        ("a dot in front", b".hidden"),
        ("three dots", b"..."),
        ("a space at both ends", b" a "),
        ("a dot at the end", b"a."),
        ("a tilde", b"a~1"),
        ("a dash in front", b"-rf"),
        ("composed", "\u{e4}".as_bytes()),
        ("decomposed", "a\u{308}".as_bytes()),
        ("four bytes a letter", "\u{1f600}".as_bytes()),
        ("no UTF-8", b"a\xffb"),
        ("a colon", b"a:b"),
        ("a star", b"a*b"),
        ("a question mark", b"a?b"),
        ("a quote", b"a\"b"),
        ("a backslash", b"a\\b"),
        ("a bar", b"a|b"),
        ("angle brackets", b"<a>"),
        ("a line feed", b"a\nb"),
        ("a delete", b"a\x7fb"),
    ] {
        let path = dir.join(OsStr::from_bytes(name));
        log.call(&format!("{what}: looked for"), fs::metadata(&path));
        log.call(&format!("{what}: created"), fs::write(&path, b"x"));
        log.value(&format!("{what}: read"), fs::read(&path));
        log.call(
            &format!("{what}: as a directory"),
            fs::create_dir(dir.join(OsStr::from_bytes(&[name, b"d"].concat()))),
        );
    }
    log.call("case: one", fs::write(dir.join("case"), b"lower"));
    log.call("case: another", fs::write(dir.join("CASE"), b"upper"));
    log.value("case: they are two", fs::read(dir.join("case")));
    log.fact("all in all", fs::read_dir(dir).unwrap().count());
}

pub(crate) fn reading_and_writing(dir: &Path, log: &mut Log) {
    let path = dir.join("f");
    let mut file = new(&path, b"0123456789");
    let (mut reads, mut writes) =
        (File::open(&path).unwrap(), File::options().write(true).open(&path).unwrap());
    let mut two = [0; 2];
    log.value("a write with a descriptor to read", reads.write(b"x"));
    log.value("a read with a descriptor to write", writes.read(&mut two));
    log.value("a directory is not read", File::open(dir).and_then(|it| it.read_at(&mut two, 0)));
    log.value("nothing is read", reads.read(&mut []));
    log.value("nothing is written", writes.write(&[]));
    log.value("a read past the end", reads.read_at(&mut two, 100));
    log.value("a read across the end", reads.read_at(&mut [0; 8], 7));
    log.value("a seek before the beginning", reads.seek(SeekFrom::Current(-1)));
    log.value("a seek past the end", reads.seek(SeekFrom::End(10)));
    log.value("from where one is", reads.seek(SeekFrom::Current(-15)));
    log.value("a read there", reads.read(&mut two).map(|n| two[..n].to_vec()));
    let mut append = File::options().read(true).append(true).open(&path).unwrap();
    log.value("a handle that appends begins at", append.stream_position());
    append.write_all(b"ab").unwrap();
    log.value("and is behind what it wrote", append.stream_position());
    // Linux appends whatever the offset says (pwrite(2), BUGS).
    log.value("an offset does not matter to it", append.write_at(b"cd", 0));
    log.value("the file", fs::read(&path));
    rustix::fs::fcntl_setfl(&append, OFlags::empty()).unwrap();
    log.value("when it appends no more", append.write_at(b"ef", 0));
    log.value("the file then", fs::read(&path));
    let plain = File::options().write(true).open(&path).unwrap();
    rustix::fs::fcntl_setfl(&plain, OFlags::APPEND).unwrap();
    log.value("what appends only now", (&plain).write(b"gh"));
    log.value("the file after that", fs::read(&path).map(|it| it.ends_with(b"gh")));
    fs::write(&path, b"0123456789").unwrap();
    log.value("a write far behind the end", file.write_at(b"z", 10_000));
    let mut between = [1; 10];
    log.value("zeros between", file.read_at(&mut between, 5000).map(|_| between));
    let twin = file.try_clone().unwrap();
    file.seek(SeekFrom::Start(3)).unwrap();
    let mut three = [0; 3];
    log.value("a duplicate shares the position", (&twin).read(&mut three).map(|_| three));
    log.value(
        "vectored",
        file.write_vectored(&[std::io::IoSlice::new(b"one"), std::io::IoSlice::new(b"two")]),
    );
    log.value("what came of it", fs::read(&path).map(|it| it[..20].to_vec()));
    for (what, done) in [
        ("fsync", rustix::fs::fsync(&file)),
        ("fdatasync", rustix::fs::fdatasync(&file)),
        ("fsync of who reads", rustix::fs::fsync(&reads)),
        ("fsync of a directory", rustix::fs::fsync(File::open(dir).unwrap())),
        ("syncfs", rustix::fs::syncfs(&file)),
        ("advice", rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::Sequential)),
    ] {
        log.call(what, done);
    }
    // A program reads its input while it writes its output over it.
    let mut copied = Vec::new();
    (&reads).seek(SeekFrom::Start(0)).unwrap();
    (&reads).take(15).read_to_end(&mut copied).unwrap();
    log.fact("what it read", copied);
}

pub(crate) fn sizes(dir: &Path, log: &mut Log) {
    let path = dir.join("f");
    let file = new(&path, &[7; 5000]);
    let reads = File::open(&path).unwrap();
    let size = || fs::metadata(&path).map(|it| it.len());
    log.call("to a negative size", nix::unistd::ftruncate(&file, -1));
    log.call("by name to a negative size", nix::unistd::truncate(&path, -1));
    log.call("with a descriptor to read", nix::unistd::ftruncate(&reads, 10));
    log.call("to more than a file can have", nix::unistd::ftruncate(&file, i64::MAX));
    log.call("by name to more than a file can have", nix::unistd::truncate(&path, i64::MAX));
    log.call("a directory", nix::unistd::truncate(dir, 0));
    log.call("nothing", nix::unistd::truncate(&dir.join("none"), 0));
    log.value("nothing of it changed the size", size());
    log.value("a write past all ends", file.write_at(b"x", i64::MAX as u64));
    log.call("shorter", nix::unistd::ftruncate(&file, 4097));
    log.value("it is", size());
    log.call("longer", nix::unistd::truncate(&path, 9000));
    let mut tail = [1; 3];
    log.value("what was cut off is zero", reads.read_at(&mut tail, 4500).map(|_| tail));
    log.value("what stayed is there", reads.read_at(&mut tail, 4094).map(|_| tail));
    log.call("to the same size", file.set_len(9000));
    log.value("it is at last", size());
}

/// Beyond what 32 bits can count.
pub(crate) fn large(dir: &Path, log: &mut Log) {
    const FAR: u64 = (5 << 30) + 123;
    let path = dir.join("f");
    let mut file = new(&path, b"");
    log.value("a write at 5 GiB", file.write_at(b"far", FAR));
    log.value("its size", fs::metadata(&path).map(|it| it.len()));
    let mut three = [0; 3];
    log.value("read back", File::open(&path).and_then(|it| it.read_at(&mut three, FAR)).map(|_| three));
    log.value("the end by seeking", file.seek(SeekFrom::End(-3)));
    log.value("the first data", seek(&file, Whence::Data(0)).map(|at| at > 4 << 30));
    log.call("cut at 4 GiB and a bit", file.set_len((4 << 30) + 1));
    log.value("its size then", file.metadata().map(|it| it.len()));
    log.value("a write behind 4 GiB", file.write_at(b"xy", (4 << 30) + 1));
    let append = File::options().append(true).open(&path).unwrap();
    log.value("appended", (&append).write(b"z"));
    log.value("its size at last", append.metadata().map(|it| it.len()));
    let mut last = [0; 4];
    log.value(
        "and its end",
        append.metadata().and_then(|it| file.read_at(&mut last, it.len() - 4)).map(|_| last),
    );
    log.value("no more than a few blocks", file.metadata().map(|it| it.blocks() < 1000));
}

pub(crate) fn blocks(dir: &Path, log: &mut Log) {
    let path = dir.join("f");
    let file = new(&path, &vec![9; 1 << 18]);
    let is_data = |file: &File| {
        (0..4).map(|n| seek(file, Whence::Data(n << 16)).map_err(|it| it.raw_os_error())).collect::<Vec<_>>()
    };
    let sound = |mode: FallocateFlags, at, length| fallocate(&file, mode, at, length);
    let keep = FallocateFlags::KEEP_SIZE;
    log.call("a hole", sound(FallocateFlags::PUNCH_HOLE | keep, 1 << 16, 1 << 16));
    log.fact("where data are", is_data(&file));
    log.value("the first hole", seek(&file, Whence::Hole(0)));
    log.value("the hole at the end", seek(&file, Whence::Hole((1 << 18) - 1)));
    log.value("data behind the end", seek(&file, Whence::Data(1 << 18)));
    log.value("a hole behind the end", seek(&file, Whence::Hole(1 << 18)));
    log.call("a hole without keeping the size", sound(FallocateFlags::PUNCH_HOLE, 0, 4096));
    log.call("zeros", sound(FallocateFlags::ZERO_RANGE, 100, 5000));
    log.call("zeros beyond the end", sound(FallocateFlags::ZERO_RANGE | keep, 1 << 18, 5000));
    log.call("room", sound(FallocateFlags::empty(), (1 << 18) - 10, 5000));
    log.value("its size", file.metadata().map(|it| it.len()));
    log.call("room of no length", sound(FallocateFlags::empty(), 0, 0));
    log.call("taken out", sound(FallocateFlags::COLLAPSE_RANGE, 0, 4096));
    log.call("put in", sound(FallocateFlags::INSERT_RANGE, 0, 4096));
    let reads = File::open(&path).unwrap();
    log.call("room for who reads", fallocate(&reads, FallocateFlags::empty(), 0, 1));
    log.call("a flag that there is not", sound(FallocateFlags::from_bits_retain(1 << 30), 0, 1));
}

pub(crate) fn unlinked(dir: &Path, log: &mut Log) {
    let path = dir.join("f");
    let file = new(&path, b"one");
    log.call("unlinked", fs::remove_file(&path));
    log.value("its links", file.metadata().map(|it| it.nlink()));
    log.value("a write", file.write_at(b"two", 3));
    log.call("cut", file.set_len(5));
    let mut five = [0; 5];
    log.value("read", file.read_at(&mut five, 0).map(|_| five));
    log.call("one of its name", fs::write(&path, b"new"));
    log.value("the old one", file.read_at(&mut five, 0).map(|_| five));
    let other = new(&dir.join("g"), b"g");
    log.call("replaced", fs::rename(&path, dir.join("g")));
    log.value("links of what was replaced", other.metadata().map(|it| it.nlink()));
    log.value("what was replaced", other.read_at(&mut five, 0).map(|n| five[..n].to_vec()));
    log.value("what replaced it", fs::read(dir.join("g")));
    log.call("its times are set", other.set_modified(std::time::UNIX_EPOCH));
    let again = format!(
        "/proc/self/task/{}/fd/{}",
        rustix::thread::gettid().as_raw_nonzero(),
        std::os::fd::AsRawFd::as_raw_fd(&file)
    );
    log.value("opened by its descriptor", fs::read(&again));
    log.value("and to write", File::options().write(true).open(&again).and_then(|it| it.write_at(b"!", 0)));
    log.value(
        "a name again",
        rustix::fs::linkat(CWD, &again, CWD, dir.join("h"), rustix::fs::AtFlags::SYMLINK_FOLLOW).map(drop),
    );
    let mut exclusive = File::options();
    exclusive.create_new(true).write(true).custom_flags(libc::O_SYNC);
    log.call("a new one of the first name", exclusive.open(&path));
}
