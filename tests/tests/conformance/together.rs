//! What several do with one file: locks, and being told of changes.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::fcntl::{FcntlArg, Flock, FlockArg, fcntl};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::files::new;
use crate::log::Log;

fn part(kind: i32, start: i64, length: i64) -> libc::flock {
    libc::flock {
        l_type: i16::try_from(kind).unwrap(),
        l_whence: i16::try_from(libc::SEEK_SET).unwrap(),
        l_start: start,
        l_len: length,
        l_pid: 0,
    }
}

/// Locks of one open file against those of another, as of two processes; `tests/operations` has classic ones.
pub(crate) fn locks(dir: &Path, log: &mut Log) {
    let path = dir.join("f");
    drop(new(&path, &[0; 100]));
    let open = || File::options().read(true).write(true).open(&path).unwrap();
    let (one, two) = (open(), open());
    let mut set = |what: &str, file: &File, kind, start, length| {
        log.call(what, fcntl(file, FcntlArg::F_OFD_SETLK(&part(kind, start, length))));
    };
    set("a part to write", &one, libc::F_WRLCK, 0, 10);
    set("another part of another", &two, libc::F_WRLCK, 10, 10);
    set("a part of it for reading", &two, libc::F_RDLCK, 5, 3);
    set("beyond the end", &two, libc::F_WRLCK, 1000, 10);
    set("to the end, and what is added", &one, libc::F_WRLCK, 20, 0);
    set("all of it", &two, libc::F_WRLCK, 0, 0);
    set("the middle is free again", &one, libc::F_UNLCK, 3, 4);
    set("the middle to another", &two, libc::F_WRLCK, 3, 4);
    set("to read as well", &one, libc::F_RDLCK, 0, 3);
    set("read by both", &two, libc::F_RDLCK, 0, 3);
    set("of negative length", &two, libc::F_RDLCK, 10, -5);
    let reads = File::open(&path).unwrap();
    set("to write by who reads", &reads, libc::F_WRLCK, 500, 1);
    let mut asked = part(libc::F_WRLCK, 0, 3);
    let third = open();
    log.call("asked for", fcntl(&third, FcntlArg::F_OFD_GETLK(&mut asked)));
    log.fact("who has it", (asked.l_type, asked.l_start, asked.l_len));
    drop((one, two));
    let after = fcntl(&third, FcntlArg::F_OFD_SETLK(&part(libc::F_WRLCK, 0, 3)));
    log.call("after the others have closed", after);
    let held = Flock::lock(third, FlockArg::LockExclusiveNonblock).unwrap();
    log.call("a whole file, twice", Flock::lock(open(), FlockArg::LockSharedNonblock).map_err(|it| it.1));
    // flock(1) is another process, and waits.
    let waiting = Command::new("flock").arg(&path).args(["echo", "got it"]).stdout(Stdio::piped()).spawn();
    let waiting = waiting.expect("flock(1) of util-linux");
    drop(held.unlock().unwrap());
    log.fact("who waits gets it", String::from_utf8(waiting.wait_with_output().unwrap().stdout).unwrap());
}

/// Each change is told to who watches the directory, in the words of inotify.
pub(crate) fn notifications(dir: &Path, log: &mut Log) {
    fs::create_dir(dir.join("d")).unwrap();
    drop(new(&dir.join("old"), b"old"));
    let inotify = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
    let every = AddWatchFlags::from_bits_truncate(libc::IN_ALL_EVENTS);
    inotify.add_watch(dir, every & !AddWatchFlags::IN_ACCESS).unwrap();
    inotify.add_watch(&dir.join("old"), AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_DELETE_SELF).unwrap();
    let path = dir.join("f");
    let steps: [(&str, &dyn Fn()); 9] = [
        ("written", &|| {
            let mut file = new(&path, b"x");
            file.write_all(b"y").unwrap();
        }),
        ("read", &|| drop(fs::read(&path).unwrap())),
        ("cut", &|| nix::unistd::truncate(&path, 1).unwrap()),
        ("stamped", &|| File::open(&path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap()),
        ("renamed", &|| fs::rename(&path, dir.join("g")).unwrap()),
        ("moved away", &|| fs::rename(dir.join("g"), dir.join("d/g")).unwrap()),
        ("moved over another", &|| fs::rename(dir.join("d/g"), dir.join("old")).unwrap()),
        ("removed", &|| fs::remove_file(dir.join("old")).unwrap()),
        ("made and removed", &|| {
            fs::create_dir(dir.join("e")).unwrap();
            fs::remove_dir(dir.join("e")).unwrap();
        }),
    ];
    for (what, step) in steps {
        step();
        // They are in the queue before the call that causes them returns.
        let mut told: Vec<String> = Vec::new();
        while let Ok(events) = inotify.read_events() {
            told.extend(events.iter().map(|event| {
                let name = event.name.as_deref().map(|it| it.to_str().unwrap().to_owned());
                format!("{:?} {}", event.mask, name.unwrap_or_default())
            }));
        }
        log.fact(what, told);
    }
}
