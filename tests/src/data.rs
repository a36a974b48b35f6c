//! What an app does with the bytes of open files, beyond reading and writing: mappings, copies inside the kernel, holes,
//! and whatever takes too long to be asked for one system call at a time.
//!
//! The jobs run inside the app's process; [`crate::actor`] carries the question and the answer.
#![allow(unsafe_code, reason = "mmap, and reads into aligned memory, have no safe wrapper")]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::fs::{FallocateFlags, Mode, OFlags, SeekFrom};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::actor::{Answer, Files};

/// Something to do with open files. Offsets of `None` are the file's own position.
#[derive(Debug, Serialize, Deserialize)]
pub enum Job {
    /// Stores `data` through a shared mapping, and waits for it with `msync` if `sync`.
    MapWrite { file: u64, offset: u64, data: Vec<u8>, sync: bool },
    /// Maps a file for writing, and keeps the mapping for ever; answers with its number.
    KeepMap { file: u64, length: usize },
    /// Stores `data` at the start of a mapping that was kept.
    StoreInMap { map: u64, data: Vec<u8> },
    /// Loads through a mapping.
    MapRead { file: u64, offset: u64, length: usize, private: bool },
    /// Loads through a mapping of one page that `mremap(2)` then made longer.
    Remap { file: u64, length: usize },
    /// `ftruncate(2)`.
    Truncate { file: u64, size: u64 },
    /// `fallocate(2)`.
    Allocate { file: u64, mode: u32, offset: u64, length: u64 },
    /// `fsync(2)`.
    Sync { file: u64 },
    /// `sendfile(2)` until `length` bytes have gone.
    SendFile { from: u64, to: u64, length: usize },
    /// `copy_file_range(2)` until `length` bytes have gone.
    CopyRange { from: u64, from_offset: u64, to: u64, to_offset: u64, length: usize },
    /// `splice(2)` into a pipe and out of it until `length` bytes have gone.
    Splice { from: u64, to: u64, length: usize },
    /// `lseek(2)` for data or a hole.
    Seek { file: u64, offset: u64, data: bool },
    /// Reads into memory that is aligned to a page, for `O_DIRECT`.
    ReadAligned { file: u64, offset: u64, length: usize },
    /// Writes `length` bytes of [`fill`] in pieces; answers with their SHA-256.
    Fill { file: u64, seed: u64, length: u64 },
    /// Reads to the end in pieces with a pause after each; answers with the SHA-256.
    Hash { file: u64, pause_us: u64 },
    /// `write(2)` of `data`, so many times.
    Append { file: u64, data: Vec<u8>, times: usize },
    /// Makes `count` files `dir/prefix0` and so on, each holding its own name.
    CreateMany { dir: Vec<u8>, prefix: String, suffix: String, count: usize },
    /// Renames them to another prefix.
    RenameMany { dir: Vec<u8>, prefix: String, to: String, suffix: String, count: usize },
    /// Removes them.
    UnlinkMany { dir: Vec<u8>, prefix: String, suffix: String, count: usize },
    /// Opens them all for reading and keeps them open; answers with the first one's number, the rest follow.
    OpenMany { dir: Vec<u8>, prefix: String, suffix: String, count: usize },
    /// Opens, reads and maps these files again and again; answers with the number of rounds, or says what was wrong.
    Race { paths: Vec<Vec<u8>>, expect: Vec<u8>, length: usize, seconds: u64, write: bool },
}

/// Size of one piece of [`Job::Fill`] and [`Job::Hash`].
pub const PIECE: usize = 1 << 20;

/// One piece of a stream of bytes in which every block is different.
pub fn fill(seed: u64, piece: u64, buffer: &mut [u8]) {
    for (number, block) in buffer.chunks_mut(4096).enumerate() {
        block.fill((seed as u8).wrapping_add(number as u8));
        let stamp = [seed.to_le_bytes(), piece.to_le_bytes(), (number as u64).to_le_bytes()].concat();
        let end = stamp.len().min(block.len());
        block[..end].copy_from_slice(&stamp[..end]);
    }
}

/// What a racing reader finds wrong.
fn wrong(what: &str, path: &[u8]) -> Answer {
    Answer::Wrong(format!("{what}: {}", String::from_utf8_lossy(path)))
}

fn errno(error: nix::errno::Errno) -> Errno {
    Errno::from_raw_os_error(error as i32)
}

/// Does it.
pub(crate) fn run(files: &mut Files, job: Job) -> Result<Answer, Errno> {
    match job {
        Job::MapWrite { file, offset, data, sync } => {
            let map =
                Map::new(files.file(file)?.as_fd(), offset, data.len(), libc::PROT_WRITE, libc::MAP_SHARED)?;
            map.store(&data);
            if sync {
                map.sync()?;
            }
        }
        Job::KeepMap { file, length } => {
            let prot = libc::PROT_READ | libc::PROT_WRITE;
            let map = Map::new(files.file(file)?.as_fd(), 0, length, prot, libc::MAP_SHARED)?;
            files.maps.push(map);
            return Ok(Answer::Number(files.maps.len() as u64 - 1));
        }
        Job::StoreInMap { map, data } => {
            let map = usize::try_from(map).ok().and_then(|map| files.maps.get(map)).ok_or(Errno::INVAL)?;
            if data.len() > map.length {
                return Err(Errno::INVAL);
            }
            map.store(&data);
        }
        Job::MapRead { file, offset, length, private } => {
            let flags = if private { libc::MAP_PRIVATE } else { libc::MAP_SHARED };
            let map = Map::new(files.file(file)?.as_fd(), offset, length, libc::PROT_READ, flags)?;
            return Ok(Answer::Bytes(map.load()));
        }
        Job::Remap { file, length } => {
            let mut map = Map::new(files.file(file)?.as_fd(), 0, 4096, libc::PROT_READ, libc::MAP_SHARED)?;
            map.grow(length)?;
            return Ok(Answer::Bytes(map.load()));
        }
        Job::Truncate { file, size } => rustix::fs::ftruncate(files.file(file)?, size)?,
        Job::Allocate { file, mode, offset, length } => {
            let mode = FallocateFlags::from_bits_retain(mode);
            rustix::fs::fallocate(files.file(file)?, mode, offset, length)?;
        }
        Job::Sync { file } => rustix::fs::fsync(files.file(file)?)?,
        Job::SendFile { from, to, length } => {
            let (from, to) = (files.file(from)?, files.file(to)?);
            return all(length, |left| nix::sys::sendfile::sendfile(to, from, None, left).map_err(errno));
        }
        Job::CopyRange { from, from_offset, to, to_offset, length } => {
            let (from, to) = (files.file(from)?, files.file(to)?);
            let (mut read, mut written) = (from_offset, to_offset);
            return all(length, |left| {
                rustix::fs::copy_file_range(from, Some(&mut read), to, Some(&mut written), left)
            });
        }
        Job::Splice { from, to, length } => return splice(files.file(from)?, files.file(to)?, length),
        Job::Seek { file, offset, data } => {
            let to = if data { SeekFrom::Data(offset) } else { SeekFrom::Hole(offset) };
            return Ok(Answer::Number(rustix::fs::seek(files.file(file)?, to)?));
        }
        Job::ReadAligned { file, offset, length } => return read_aligned(files.file(file)?, offset, length),
        Job::Fill { file, seed, length } => return write_fill(files.file(file)?, seed, length),
        Job::Hash { file, pause_us } => return hash(files.file(file)?, Duration::from_micros(pause_us)),
        Job::Append { file, data, times } => {
            for _ in 0..times {
                if rustix::io::write(files.file(file)?, &data)? != data.len() {
                    return Ok(wrong("a short write", b""));
                }
            }
        }
        Job::CreateMany { dir, prefix, suffix, count } => {
            for (number, path) in names(&dir, &prefix, &suffix, count).enumerate() {
                let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
                let file = rustix::fs::open(path, flags, Mode::from_raw_mode(0o600))?;
                rustix::io::write(file, format!("{prefix}{number}").as_bytes())?;
            }
        }
        Job::RenameMany { dir, prefix, to, suffix, count } => {
            for (from, to) in names(&dir, &prefix, &suffix, count).zip(names(&dir, &to, &suffix, count)) {
                rustix::fs::rename(from, to)?;
            }
        }
        Job::UnlinkMany { dir, prefix, suffix, count } => {
            for path in names(&dir, &prefix, &suffix, count) {
                rustix::fs::unlink(path)?;
            }
        }
        Job::OpenMany { dir, prefix, suffix, count } => {
            let (_, most) =
                nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).map_err(errno)?;
            nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, most, most)
                .map_err(errno)?;
            let mut first = None;
            for path in names(&dir, &prefix, &suffix, count) {
                let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
                first.get_or_insert(files.keep(file));
            }
            return Ok(Answer::Number(first.unwrap_or_default()));
        }
        Job::Race { paths, expect, length, seconds, write } => {
            return race(&paths, &expect, length, Duration::from_secs(seconds), write);
        }
    }
    Ok(Answer::Done)
}

fn names(dir: &[u8], prefix: &str, suffix: &str, count: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(move |number| [dir, format!("/{prefix}{number}{suffix}").as_bytes()].concat())
}

/// Repeats until `length` bytes have gone or there are no more; answers with how many went.
fn all(length: usize, mut step: impl FnMut(usize) -> Result<usize, Errno>) -> Result<Answer, Errno> {
    let mut done = 0;
    while done < length {
        match step(length - done)? {
            0 => break,
            n => done += n,
        }
    }
    Ok(Answer::Number(done as u64))
}

fn splice(from: &OwnedFd, to: &OwnedFd, length: usize) -> Result<Answer, Errno> {
    let (out, into) = rustix::pipe::pipe()?;
    let none = rustix::pipe::SpliceFlags::empty();
    all(length, |left| {
        let taken = rustix::pipe::splice(from, None, &into, None, left.min(65_536), none)?;
        let mut given = 0;
        while given < taken {
            given += rustix::pipe::splice(&out, None, to, None, taken - given, none)?;
        }
        Ok(taken)
    })
}

fn read_aligned(file: &OwnedFd, offset: u64, length: usize) -> Result<Answer, Errno> {
    let map = Map::anonymous(length)?;
    // SAFETY: the mapping is writable, `length` long, and nobody else's.
    let buffer = unsafe { std::slice::from_raw_parts_mut(map.at.cast::<u8>(), length) };
    let n = rustix::io::pread(file, &mut *buffer, offset)?;
    Ok(Answer::Bytes(buffer[..n].to_vec()))
}

fn write_fill(file: &OwnedFd, seed: u64, length: u64) -> Result<Answer, Errno> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; PIECE];
    let mut left = length;
    let mut piece = 0;
    while left > 0 {
        let size = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        fill(seed, piece, &mut buffer[..size]);
        hash.update(&buffer[..size]);
        let mut rest = &buffer[..size];
        while !rest.is_empty() {
            rest = &rest[rustix::io::write(file, rest)?..];
        }
        left -= size as u64;
        piece += 1;
    }
    Ok(Answer::Bytes(hash.finalize().to_vec()))
}

fn hash(file: &OwnedFd, pause: Duration) -> Result<Answer, Errno> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; PIECE];
    loop {
        match rustix::io::read(file, &mut *buffer)? {
            0 => return Ok(Answer::Bytes(hash.finalize().to_vec())),
            n => hash.update(&buffer[..n]),
        }
        if !pause.is_zero() {
            std::thread::sleep(pause);
        }
    }
}

/// Every byte must be that of `expect` at any moment; a writer opens for writing as well, and writes what is there.
fn race(
    paths: &[Vec<u8>],
    expect: &[u8],
    length: usize,
    time: Duration,
    write: bool,
) -> Result<Answer, Errno> {
    let begin = Instant::now();
    let mut rounds = 0;
    let mut buffer = vec![0; length];
    while begin.elapsed() < time {
        let path = &paths[rounds as usize % paths.len()];
        let failed = |call: &str, error: Errno| wrong(&format!("{call}: {error:?} in round {rounds}"), path);
        let writes = write && rounds % 3 == 0;
        let flags = if writes { OFlags::RDWR } else { OFlags::RDONLY } | OFlags::CLOEXEC;
        let file = match rustix::fs::open(&**path, flags, Mode::empty()) {
            Ok(file) => file,
            Err(error) => return Ok(failed("open", error)),
        };
        if writes && let Err(error) = rustix::io::pwrite(&file, expect, 0) {
            return Ok(failed("write", error));
        }
        match rustix::io::pread(&file, &mut *buffer, 0) {
            Ok(n) if buffer[..n] != *expect => return Ok(wrong("read gave wrong bytes", path)),
            Ok(_) => {}
            Err(error) => return Ok(failed("read", error)),
        }
        if rounds % 2 == 0 {
            let kind = if rounds % 4 == 0 { libc::MAP_SHARED } else { libc::MAP_PRIVATE };
            match Map::new(file.as_fd(), 0, length, libc::PROT_READ, kind) {
                Ok(map) if map.load() != expect => return Ok(wrong("mmap gave wrong bytes", path)),
                Ok(_) => {}
                Err(error) => return Ok(failed("mmap", error)),
            }
        }
        rounds += 1;
    }
    Ok(Answer::Number(rounds))
}

/// A mapping.
#[derive(Debug)]
pub(crate) struct Map {
    at: *mut libc::c_void,
    /// Where in the mapping the wanted offset is.
    skip: usize,
    length: usize,
}

impl Map {
    fn new(file: BorrowedFd<'_>, offset: u64, length: usize, prot: i32, flags: i32) -> Result<Map, Errno> {
        let skip = (offset % 4096) as usize;
        Self::raw(file.as_raw_fd(), offset - skip as u64, skip, length, prot, flags)
    }

    fn anonymous(length: usize) -> Result<Map, Errno> {
        let (prot, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        Self::raw(-1, 0, 0, length, prot, flags)
    }

    fn raw(fd: i32, offset: u64, skip: usize, length: usize, prot: i32, flags: i32) -> Result<Map, Errno> {
        let offset = offset.cast_signed();
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), length + skip, prot, flags, fd, offset) };
        if at == libc::MAP_FAILED {
            return Err(errno(nix::errno::Errno::last()));
        }
        Ok(Map { at, skip, length })
    }

    fn grow(&mut self, length: usize) -> Result<(), Errno> {
        // SAFETY: exactly what was mapped; no reference into it is left, and the old address is not used again.
        let at = unsafe {
            libc::mremap(self.at, self.length + self.skip, length + self.skip, libc::MREMAP_MAYMOVE)
        };
        if at == libc::MAP_FAILED {
            return Err(errno(nix::errno::Errno::last()));
        }
        (self.at, self.length) = (at, length);
        Ok(())
    }

    fn store(&self, data: &[u8]) {
        // SAFETY: the mapping is writable and at least `skip + data.len()` long.
        unsafe {
            std::ptr::copy_nonoverlapping(data.as_ptr(), self.at.cast::<u8>().add(self.skip), data.len())
        };
    }

    fn load(&self) -> Vec<u8> {
        let mut data = vec![0; self.length];
        // SAFETY: the mapping is readable and at least `skip + length` long. Others may change the file meanwhile:
        // it is copied, never referred to.
        unsafe {
            std::ptr::copy_nonoverlapping(self.at.cast::<u8>().add(self.skip), data.as_mut_ptr(), self.length)
        };
        data
    }

    fn sync(&self) -> Result<(), Errno> {
        // SAFETY: exactly what was mapped.
        match unsafe { libc::msync(self.at, self.length + self.skip, libc::MS_SYNC) } {
            0 => Ok(()),
            _ => Err(errno(nix::errno::Errno::last())),
        }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: exactly what was mapped; no reference into it is left.
        unsafe { libc::munmap(self.at, self.length + self.skip) };
    }
}
