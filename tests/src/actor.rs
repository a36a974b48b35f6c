//! An app as the tests see it: a process of its own, with the app's uid and nothing else.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use serde::{Deserialize, Serialize};

use crate::caller::{self, Call, Failure};
use crate::data::{self, Job};

/// What an app can be asked to do. Paths are bytes.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// `open(2)`; answers with a number for the open file.
    Open { path: Vec<u8>, flags: u32 },
    /// Closes an open file.
    Close { file: u64 },
    /// `pread(2)`.
    Read { file: u64, offset: u64, length: usize },
    /// `pwrite(2)`, or `write(2)` without an offset.
    Write { file: u64, offset: Option<u64>, data: Vec<u8> },
    /// The whole file.
    ReadAll { path: Vec<u8> },
    /// `lstat(2)`.
    Stat { path: Vec<u8> },
    /// `fstat(2)`.
    StatOpen { file: u64 },
    /// `access(2)` with these bits (0 is `F_OK`).
    Access { path: Vec<u8>, mask: u32 },
    /// Names in a directory, sorted.
    List { path: Vec<u8> },
    /// The same of a directory that is open.
    ListOpen { file: u64 },
    /// `mkdir(2)`.
    Mkdir { path: Vec<u8> },
    /// `rmdir(2)`.
    Rmdir { path: Vec<u8> },
    /// `unlink(2)`.
    Unlink { path: Vec<u8> },
    /// `renameat2(2)`.
    Rename { from: Vec<u8>, to: Vec<u8>, flags: u32 },
    /// `truncate(2)`.
    Truncate { path: Vec<u8>, size: u64 },
    /// `utimensat(2)`: sets both times to these seconds.
    Utimes { path: Vec<u8>, seconds: i64 },
    /// `chmod(2)`.
    Chmod { path: Vec<u8>, mode: u32 },
    /// `chown(2)`.
    Chown { path: Vec<u8>, uid: u32 },
    /// `symlink(2)`.
    Symlink { target: Vec<u8>, path: Vec<u8> },
    /// `link(2)`.
    Link { from: Vec<u8>, to: Vec<u8> },
    /// `mknod(2)` with this type and mode.
    Mknod { path: Vec<u8>, mode: u32 },
    /// `setxattr(2)` of `user.test`.
    SetXattr { path: Vec<u8> },
    /// `getxattr(2)` of `user.test`: answers with the value's length.
    GetXattr { path: Vec<u8> },
    /// `listxattr(2)`: answers with the names' length.
    ListXattr { path: Vec<u8> },
    /// `removexattr(2)` of `user.test`.
    RemoveXattr { path: Vec<u8> },
    /// `statfs(2)`: answers with the number of free blocks.
    Statfs { path: Vec<u8> },
    /// More about the bytes of files.
    Data(Job),
    /// A call of the service's interface.
    Interface(Call),
}

/// What `stat` said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    /// Inode number.
    pub ino: u64,
    /// Mode with type.
    pub mode: u32,
    /// Size in bytes.
    pub size: u64,
    /// Modification time: seconds and nanoseconds.
    pub mtime: (i64, u64),
    /// Hard links.
    pub nlink: u64,
    /// Owner uid.
    pub uid: u32,
}

/// What an app answers.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    Done,
    Number(u64),
    Bytes(Vec<u8>),
    Names(Vec<Vec<u8>>),
    Stat(Stat),
    Errno(i32),
    /// How a call of the interface failed.
    Failed(Failure),
    /// A job saw something that it must not see.
    Wrong(String),
}

/// An errno that the app got.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub i32);

impl std::fmt::Debug for Errno {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", nix::errno::Errno::from_raw(self.0))
    }
}

/// An app's process.
#[derive(Debug)]
pub struct Actor {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// Its uid.
    pub uid: u32,
}

/// The program's path: cargo puts it beside the test binaries' directory.
pub fn program(name: &str) -> std::path::PathBuf {
    let mut dir = std::env::current_exe().expect("the test's own path");
    dir.pop();
    if dir.ends_with("deps") {
        dir.pop();
    }
    let path = dir.join(name);
    assert!(path.exists(), "{} is missing: run the tests with `cargo test --workspace`", path.display());
    path
}

fn bytes(path: impl AsRef<Path>) -> Vec<u8> {
    path.as_ref().as_os_str().as_bytes().to_vec()
}

impl Actor {
    /// Starts an app with this uid.
    pub fn start(uid: u32) -> Actor {
        assert!(nix::unistd::geteuid().is_root(), "these tests become other uids: run them as root");
        let mut child = Command::new(program("mediagate-actor"))
            .arg(uid.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start an actor");
        let to = child.stdin.take().expect("stdin");
        let from = BufReader::new(child.stdout.take().expect("stdout"));
        Actor { child, to, from, uid }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks and waits for the answer.
    pub fn ask(&mut self, ask: &Ask) -> Result<Answer, Errno> {
        let mut line = serde_json::to_vec(ask).expect("encode");
        line.push(b'\n');
        self.to.write_all(&line).expect("the actor is gone");
        let mut line = String::new();
        self.from.read_line(&mut line).expect("the actor is gone");
        match serde_json::from_str(&line).unwrap_or_else(|e| panic!("actor said {line:?}: {e}")) {
            Answer::Errno(errno) => Err(Errno(errno)),
            Answer::Wrong(what) => panic!("uid {}: {what}", self.uid),
            answer => Ok(answer),
        }
    }

    fn number(&mut self, ask: &Ask) -> Result<u64, Errno> {
        match self.ask(ask)? {
            Answer::Number(number) => Ok(number),
            other => panic!("{ask:?}: {other:?}"),
        }
    }

    fn bytes_of(&mut self, ask: &Ask) -> Result<Vec<u8>, Errno> {
        match self.ask(ask)? {
            Answer::Bytes(bytes) => Ok(bytes),
            other => panic!("{ask:?}: {other:?}"),
        }
    }

    fn done(&mut self, ask: &Ask) -> Result<(), Errno> {
        self.ask(ask).map(drop)
    }

    /// `open(2)` with `libc` flags.
    pub fn open(&mut self, path: impl AsRef<Path>, flags: i32) -> Result<u64, Errno> {
        self.number(&Ask::Open { path: bytes(path), flags: flags.cast_unsigned() })
    }

    /// Closes an open file.
    pub fn close(&mut self, file: u64) {
        self.done(&Ask::Close { file }).expect("close");
    }

    /// `pread(2)`.
    pub fn read(&mut self, file: u64, offset: u64, length: usize) -> Result<Vec<u8>, Errno> {
        self.bytes_of(&Ask::Read { file, offset, length })
    }

    /// `pwrite(2)` at `offset`, or `write(2)`.
    pub fn write(&mut self, file: u64, offset: Option<u64>, data: &[u8]) -> Result<u64, Errno> {
        self.number(&Ask::Write { file, offset, data: data.to_vec() })
    }

    /// Opens for reading and closes again: whether that is allowed.
    pub fn can_read(&mut self, path: impl AsRef<Path>) -> Result<(), Errno> {
        let file = self.open(path, libc::O_RDONLY)?;
        self.close(file);
        Ok(())
    }

    /// Opens for reading and writing and closes again: whether that is allowed.
    pub fn can_write(&mut self, path: impl AsRef<Path>) -> Result<(), Errno> {
        let file = self.open(path, libc::O_RDWR)?;
        self.close(file);
        Ok(())
    }

    /// Makes a file with this content; fails if it exists.
    pub fn create(&mut self, path: impl AsRef<Path>, data: &[u8]) -> Result<(), Errno> {
        let file = self.open(path, libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY)?;
        let written = self.write(file, None, data);
        self.close(file);
        assert_eq!(written?, data.len() as u64);
        Ok(())
    }

    /// The whole content.
    pub fn read_all(&mut self, path: impl AsRef<Path>) -> Result<Vec<u8>, Errno> {
        self.bytes_of(&Ask::ReadAll { path: bytes(path) })
    }

    /// `lstat(2)`.
    pub fn stat(&mut self, path: impl AsRef<Path>) -> Result<Stat, Errno> {
        match self.ask(&Ask::Stat { path: bytes(path) })? {
            Answer::Stat(stat) => Ok(stat),
            other => panic!("{other:?}"),
        }
    }

    /// `fstat(2)`.
    pub fn stat_open(&mut self, file: u64) -> Result<Stat, Errno> {
        match self.ask(&Ask::StatOpen { file })? {
            Answer::Stat(stat) => Ok(stat),
            other => panic!("{other:?}"),
        }
    }

    /// `access(2)`.
    pub fn access(&mut self, path: impl AsRef<Path>, mask: i32) -> Result<(), Errno> {
        self.done(&Ask::Access { path: bytes(path), mask: mask.cast_unsigned() })
    }

    /// Names in a directory, sorted.
    pub fn list(&mut self, path: impl AsRef<Path>) -> Result<Vec<String>, Errno> {
        let names = self.list_bytes(path)?;
        Ok(names.into_iter().map(|name| String::from_utf8_lossy(&name).into_owned()).collect())
    }

    /// Names in a directory as bytes, sorted.
    pub fn list_bytes(&mut self, path: impl AsRef<Path>) -> Result<Vec<Vec<u8>>, Errno> {
        match self.ask(&Ask::List { path: bytes(path) })? {
            Answer::Names(names) => Ok(names),
            other => panic!("{other:?}"),
        }
    }

    /// Names in a directory that is open, sorted.
    pub fn list_open(&mut self, file: u64) -> Result<Vec<Vec<u8>>, Errno> {
        match self.ask(&Ask::ListOpen { file })? {
            Answer::Names(names) => Ok(names),
            other => panic!("unexpected answer {other:?}"),
        }
    }

    /// `mkdir(2)`.
    pub fn mkdir(&mut self, path: impl AsRef<Path>) -> Result<(), Errno> {
        self.done(&Ask::Mkdir { path: bytes(path) })
    }

    /// `rmdir(2)`.
    pub fn rmdir(&mut self, path: impl AsRef<Path>) -> Result<(), Errno> {
        self.done(&Ask::Rmdir { path: bytes(path) })
    }

    /// `unlink(2)`.
    pub fn unlink(&mut self, path: impl AsRef<Path>) -> Result<(), Errno> {
        self.done(&Ask::Unlink { path: bytes(path) })
    }

    /// `rename(2)`.
    pub fn rename(&mut self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), Errno> {
        self.rename_with(from, to, 0)
    }

    /// `renameat2(2)` with flags.
    pub fn rename_with(
        &mut self,
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
        flags: u32,
    ) -> Result<(), Errno> {
        self.done(&Ask::Rename { from: bytes(from), to: bytes(to), flags })
    }

    /// A job on open files.
    pub fn job(&mut self, job: Job) -> Result<Answer, Errno> {
        self.ask(&Ask::Data(job))
    }

    /// A job that answers with a number.
    pub fn job_number(&mut self, job: Job) -> Result<u64, Errno> {
        self.number(&Ask::Data(job))
    }

    /// A job that answers with bytes.
    pub fn job_bytes(&mut self, job: Job) -> Result<Vec<u8>, Errno> {
        self.bytes_of(&Ask::Data(job))
    }

    /// Anything else.
    pub fn act(&mut self, ask: &Ask) -> Result<(), Errno> {
        self.done(ask)
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The actor's own side.
pub fn serve(uid: u32) {
    let id = nix::unistd::Uid::from_raw(uid);
    let gid = nix::unistd::Gid::from_raw(uid);
    nix::unistd::setgroups(&[]).expect("setgroups");
    nix::unistd::setresgid(gid, gid, gid).expect("setresgid");
    nix::unistd::setresuid(id, id, id).expect("setresuid");
    nix::sys::stat::umask(nix::sys::stat::Mode::empty());
    let mut files = Files::default();
    let (stdin, mut stdout) = (std::io::stdin().lock(), std::io::stdout().lock());
    for line in stdin.lines() {
        let ask = serde_json::from_str(&line.expect("read")).expect("decode");
        let answer = files.act(ask).unwrap_or_else(|errno| Answer::Errno(errno.raw_os_error()));
        serde_json::to_writer(&mut stdout, &answer).expect("write");
        writeln!(stdout).and_then(|()| stdout.flush()).expect("write");
    }
}

/// What the app has open.
#[derive(Debug, Default)]
pub(crate) struct Files {
    next: u64,
    open: HashMap<u64, OwnedFd>,
    /// Mappings that it keeps.
    pub(crate) maps: Vec<data::Map>,
    /// Its connection to the service.
    pub(crate) client: Option<mediagate::binder::Client>,
}

impl Files {
    fn act(&mut self, ask: Ask) -> Result<Answer, rustix::io::Errno> {
        use rustix::fs;
        match ask {
            Ask::Open { path, flags } => {
                let flags = OFlags::from_bits_retain(flags) | OFlags::CLOEXEC;
                let file = fs::open(path, flags, Mode::from_raw_mode(0o600))?;
                return Ok(Answer::Number(self.keep(file)));
            }
            Ask::Close { file } => drop(self.open.remove(&file)),
            Ask::Read { file, offset, length } => {
                let mut data = vec![0; length];
                let n = rustix::io::pread(self.file(file)?, &mut data, offset)?;
                data.truncate(n);
                return Ok(Answer::Bytes(data));
            }
            Ask::Write { file, offset, data } => {
                let file = self.file(file)?;
                let n = match offset {
                    Some(offset) => rustix::io::pwrite(file, &data, offset)?,
                    None => rustix::io::write(file, &data)?,
                };
                return Ok(Answer::Number(n as u64));
            }
            Ask::ReadAll { path } => {
                let file = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
                let mut data = Vec::new();
                let mut file = std::fs::File::from(file);
                std::io::Read::read_to_end(&mut file, &mut data)
                    .map_err(|e| rustix::io::Errno::from_io_error(&e).unwrap_or(rustix::io::Errno::IO))?;
                return Ok(Answer::Bytes(data));
            }
            Ask::Stat { path } => return Ok(Answer::Stat(stat(fs::lstat(path)?))),
            Ask::StatOpen { file } => return Ok(Answer::Stat(stat(fs::fstat(self.file(file)?)?))),
            Ask::Access { path, mask } => fs::access(path, fs::Access::from_bits_retain(mask))?,
            Ask::List { path } => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let dir = fs::open(path, flags, Mode::empty())?;
                return list(fs::Dir::read_from(dir)?);
            }
            Ask::ListOpen { file } => {
                let same = rustix::io::fcntl_dupfd_cloexec(self.file(file)?, 0)?;
                return list(fs::Dir::new(same)?);
            }
            Ask::Mkdir { path } => fs::mkdir(path, Mode::from_raw_mode(0o700))?,
            Ask::Rmdir { path } => fs::rmdir(path)?,
            Ask::Unlink { path } => fs::unlink(path)?,
            Ask::Rename { from, to, flags } => {
                fs::renameat_with(CWD, from, CWD, to, fs::RenameFlags::from_bits_retain(flags))?;
            }
            Ask::Truncate { path, size } => {
                nix::unistd::truncate(Path::new(OsStr::from_bytes(&path)), size.cast_signed())
                    .map_err(|e| rustix::io::Errno::from_raw_os_error(e as i32))?;
            }
            Ask::Utimes { path, seconds } => {
                let at = fs::Timespec { tv_sec: seconds, tv_nsec: 0 };
                let times = fs::Timestamps { last_access: at, last_modification: at };
                fs::utimensat(CWD, path, &times, AtFlags::empty())?;
            }
            Ask::Chmod { path, mode } => fs::chmod(path, Mode::from_raw_mode(mode))?,
            Ask::Chown { path, uid } => fs::chown(path, Some(fs::Uid::from_raw(uid)), None)?,
            Ask::Symlink { target, path } => fs::symlink(target, path)?,
            Ask::Link { from, to } => fs::link(from, to)?,
            Ask::Mknod { path, mode } => {
                let kind = fs::FileType::from_raw_mode(mode);
                fs::mknodat(CWD, path, kind, Mode::from_raw_mode(mode & 0o7777), 0)?;
            }
            Ask::SetXattr { path } => fs::setxattr(path, "user.test", b"1", fs::XattrFlags::empty())?,
            Ask::Data(job) => return data::run(self, job),
            Ask::Interface(call) => return Ok(caller::run(self, call)),
            Ask::GetXattr { path } => {
                return Ok(Answer::Number(fs::getxattr(path, "user.test", &mut [0; 256])? as u64));
            }
            Ask::ListXattr { path } => {
                return Ok(Answer::Number(fs::listxattr(path, &mut [0; 1024])? as u64));
            }
            Ask::RemoveXattr { path } => fs::removexattr(path, "user.test")?,
            Ask::Statfs { path } => return Ok(Answer::Number(fs::statfs(path)?.f_bfree)),
        }
        Ok(Answer::Done)
    }

    pub(crate) fn keep(&mut self, file: OwnedFd) -> u64 {
        self.next += 1;
        self.open.insert(self.next, file);
        self.next
    }

    pub(crate) fn file(&self, number: u64) -> Result<&OwnedFd, rustix::io::Errno> {
        self.open.get(&number).ok_or(rustix::io::Errno::BADF)
    }
}

fn stat(raw: rustix::fs::Stat) -> Stat {
    Stat {
        ino: raw.st_ino,
        mode: raw.st_mode,
        size: raw.st_size.cast_unsigned(),
        mtime: (raw.st_mtime, raw.st_mtime_nsec),
        nlink: raw.st_nlink,
        uid: raw.st_uid,
    }
}

fn list(dir: rustix::fs::Dir) -> Result<Answer, rustix::io::Errno> {
    let mut names = Vec::new();
    for entry in dir {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    names.sort();
    Ok(Answer::Names(names))
}
