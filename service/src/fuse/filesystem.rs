//! One method for each request: decode, call, reply.

use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fuser::{
    AccessFlags, BsdFileFlags, CopyFileRangeFlags, Errno, FileHandle, Filesystem, FopenFlags, Generation,
    INodeNo, InitFlags, IoctlFlags, KernelConfig, LockOwner, OpenFlags, PollEvents, PollFlags, PollNotifier,
    RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty,
    ReplyEntry, ReplyIoctl, ReplyLseek, ReplyOpen, ReplyPoll, ReplyStatfs, ReplyWrite, ReplyXattr, Request,
    TimeOrNow, WriteFlags,
};
use mediagate_policy::AccessMask;

use super::attr::{attributes, of_nothing, time};
use super::listing::{reply_entries, reply_names, reply_opened_dir};
use super::opened::reply_opened;
use super::reply::{Named, generation, reply_entry, wire};
use super::request::{VolumeFs, handle, negotiate};
use crate::lower::Access;
use crate::node::NodeId;
use crate::observe::Counter;
use crate::ops::{self, Caller, LookupReply, OpError, OpenRequest};
use crate::passthrough::IoMode;
use crate::volume::{Volume, uid_of};

/// Largest READ and WRITE that is asked for; the kernel has its own bound (`fs.fuse.max_pages_limit`).
const MAX_IO: u32 = 1 << 20;

thread_local! {
    /// Each worker's buffer for READ, grown to the largest request it has seen.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// Each worker's last FORGET.
    static FORGETTING: Cell<u64> = const { Cell::new(0) };
}

fn caller(request: &Request) -> Caller {
    Caller { uid: uid_of(request.uid(), request.pid()) }
}

fn node(ino: INodeNo) -> NodeId {
    NodeId(ino.0)
}

fn access(flags: i32) -> Access {
    if flags & libc::O_ACCMODE == libc::O_RDONLY { Access::Read } else { Access::ReadWrite }
}

impl Filesystem for VolumeFs {
    fn init(&mut self, _request: &Request, config: &mut KernelConfig) -> std::io::Result<()> {
        // What a kernel does not offer it does without; nothing here is needed for being right.
        for wanted in [
            InitFlags::FUSE_ATOMIC_O_TRUNC,
            InitFlags::FUSE_PARALLEL_DIROPS,
            InitFlags::FUSE_DO_READDIRPLUS,
            InitFlags::FUSE_READDIRPLUS_AUTO,
            InitFlags::FUSE_MAX_PAGES,
        ] {
            if config.add_capabilities(wanted).is_err() {
                log::info!("volume={}: the kernel does not offer {wanted:?}", self.volume.name);
            }
        }
        if let Err(most) = config.set_max_write(MAX_IO) {
            let _ = config.set_max_write(most);
        }
        if self.passthrough
            && let Some(interface) = negotiate(config, self.volume.lower.is_stacked())
        {
            // INIT comes once.
            let _ = self.negotiated.set(interface);
        }
        Ok(())
    }

    fn lookup(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        self.handle(request, Counter::Lookup, parent, |volume| {
            match ops::lookup(volume, caller(request), node(parent), name.as_bytes()) {
                Ok(LookupReply::Found(entry)) => reply_entry(reply, &entry),
                Ok(LookupReply::Missing(ttl)) if ttl.is_zero() => reply.error(Errno::ENOENT),
                Ok(LookupReply::Missing(ttl)) => {
                    // A node id of 0 is a negative entry that may be kept (fs/fuse/dir.c, fuse_lookup).
                    let nothing = of_nothing();
                    reply.entry_with_ttls(&Duration::ZERO, &ttl, &nothing, Generation(0));
                }
                Err(error) => reply.error(wire(&error)),
            }
        });
    }

    // A BATCH_FORGET comes here as well, node by node, up to a million of them: as one request, after which one look is enough.
    fn forget(&self, request: &Request, ino: INodeNo, nlookup: u64) {
        let work = |volume: &Volume| volume.nodes.forget(node(ino), nlookup);
        if FORGETTING.replace(request.unique().0) == request.unique().0 {
            handle(&self.volume, (request.uid(), request.pid()), Counter::Forget, ino, work);
        } else {
            self.handle(request, Counter::Forget, ino, work);
        }
    }

    fn getattr(&self, request: &Request, ino: INodeNo, _handle: Option<FileHandle>, reply: ReplyAttr) {
        self.handle(request, Counter::GetAttr, ino, |volume| {
            match ops::getattr(volume, caller(request), node(ino)) {
                Ok((meta, ttl)) => reply.attr(&ttl, &attributes(node(ino), &meta)),
                Err(error) => reply.error(wire(&error)),
            }
        });
    }

    fn setattr(
        &self,
        request: &Request,
        ino: INodeNo,
        _mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        size: Option<u64>,
        atime: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        handle: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        self.handle(request, Counter::SetAttr, ino, |volume| {
            let change = ops::SetAttr { size, atime: atime.map(time), mtime: mtime.map(time) };
            let handle = handle.map(|handle| handle.0);
            match ops::setattr(volume, caller(request), node(ino), handle, change) {
                Ok((meta, ttl)) => reply.attr(&ttl, &attributes(node(ino), &meta)),
                Err(error) => reply.error(wire(&error)),
            }
        });
    }

    fn readlink(&self, request: &Request, ino: INodeNo, reply: ReplyData) {
        // No symbolic link is ever shown.
        self.handle(request, Counter::ReadLink, ino, |_| reply.error(Errno::EINVAL));
    }

    fn mknod(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        _rdev: u32,
        reply: ReplyEntry,
    ) {
        self.entry(request, Counter::Mknod, parent, reply, |volume| {
            ops::mknod(volume, caller(request), node(parent), name.as_bytes(), mode)
        });
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        _mode: u32,
        _umask: u32,
        reply: ReplyEntry,
    ) {
        self.entry(request, Counter::Mkdir, parent, reply, |volume| {
            ops::mkdir(volume, caller(request), node(parent), name.as_bytes())
        });
    }

    fn unlink(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.empty(request, Counter::Unlink, parent, reply, |volume| {
            ops::unlink(volume, caller(request), node(parent), name.as_bytes())
        });
    }

    fn rmdir(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.empty(request, Counter::Rmdir, parent, reply, |volume| {
            ops::rmdir(volume, caller(request), node(parent), name.as_bytes())
        });
    }

    fn symlink(
        &self,
        request: &Request,
        parent: INodeNo,
        _name: &OsStr,
        _target: &std::path::Path,
        reply: ReplyEntry,
    ) {
        self.entry(request, Counter::Symlink, parent, reply, |_| Err(OpError::NotPermitted));
    }

    fn rename(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        self.empty(request, Counter::Rename, parent, reply, |volume| {
            let (from, to) = ((node(parent), name.as_bytes()), (node(newparent), newname.as_bytes()));
            ops::rename(volume, caller(request), from, to, flags.bits())
        });
    }

    fn link(&self, request: &Request, ino: INodeNo, _parent: INodeNo, _name: &OsStr, reply: ReplyEntry) {
        self.entry(request, Counter::Link, ino, reply, |_| Err(OpError::NotPermitted));
    }

    fn open(&self, request: &Request, ino: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        let (caller, node) = (caller(request), node(ino));
        let wanted = OpenRequest { access: access(flags.0), truncate: flags.0 & libc::O_TRUNC != 0 };
        let work = move |volume: &Volume| reply_opened(reply, ops::open(volume, caller, node, wanted));
        if !ops::open_may_wait(&self.volume, node, wanted) {
            self.handle(request, Counter::Open, ino, work);
            return;
        }
        // Who waits must not keep those from being served whom it waits for. A thread that cannot be had drops the reply,
        // which answers EIO.
        let (volume, pid) = (Arc::clone(&self.volume), request.pid());
        let waiting = move || handle(&volume, (caller.uid, pid), Counter::Open, ino, work);
        if let Err(error) = std::thread::Builder::new().name("open".into()).spawn(waiting) {
            log::error!("op=open node={}: no thread to wait in: {error}", ino.0);
        }
    }

    fn read(
        &self,
        request: &Request,
        ino: INodeNo,
        handle: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        self.handle(request, Counter::Read, ino, |volume| {
            BUFFER.with_borrow_mut(|buffer| {
                let size = size.min(MAX_IO) as usize;
                if buffer.len() < size {
                    buffer.resize(size, 0);
                }
                let buffer = buffer.get_mut(..size).unwrap_or_default();
                match ops::read(volume, handle.0, offset, buffer) {
                    Ok(filled) => reply.data(buffer.get(..filled).unwrap_or_default()),
                    Err(error) => reply.error(wire(&error)),
                }
            });
        });
    }

    fn write(
        &self,
        request: &Request,
        ino: INodeNo,
        handle: FileHandle,
        offset: u64,
        data: &[u8],
        write_flags: WriteFlags,
        flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        self.handle(request, Counter::Write, ino, |volume| {
            // As the file is now: `fcntl(F_SETFL)` changes it. Pages of the kernel's cache belong at `offset` whatever handle
            // they come with (any that can write: fs/fuse/file.c, `fuse_write_file_get`).
            let from_cache = write_flags.contains(WriteFlags::FUSE_WRITE_CACHE);
            let appends = !from_cache && flags.0 & libc::O_APPEND != 0;
            match ops::write(volume, handle.0, offset, data, appends) {
                Ok(written) => reply.written(u32::try_from(written).unwrap_or(u32::MAX)),
                Err(error) => reply.error(wire(&error)),
            }
        });
    }

    fn flush(
        &self,
        request: &Request,
        ino: INodeNo,
        _handle: FileHandle,
        _owner: LockOwner,
        reply: ReplyEmpty,
    ) {
        // There is nothing to do at close(2), and this answer makes the kernel stop asking.
        self.handle(request, Counter::Flush, ino, |_| reply.error(Errno::ENOSYS));
    }

    fn release(
        &self,
        request: &Request,
        ino: INodeNo,
        handle: FileHandle,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        self.empty(request, Counter::Release, ino, reply, |volume| ops::release(volume, handle.0));
    }

    fn fsync(&self, request: &Request, ino: INodeNo, handle: FileHandle, datasync: bool, reply: ReplyEmpty) {
        self.empty(request, Counter::Fsync, ino, reply, |volume| ops::fsync(volume, handle.0, datasync));
    }

    fn opendir(&self, request: &Request, ino: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        self.handle(request, Counter::OpenDir, ino, |volume| {
            reply_opened_dir(reply, ops::opendir(volume, caller(request), node(ino)));
        });
    }

    fn readdir(
        &self,
        request: &Request,
        ino: INodeNo,
        handle: FileHandle,
        offset: u64,
        reply: ReplyDirectory,
    ) {
        self.handle(request, Counter::ReadDir, ino, |volume| {
            reply_names(reply, offset, ops::listing(volume, handle.0, offset));
        });
    }

    fn readdirplus(
        &self,
        request: &Request,
        ino: INodeNo,
        handle: FileHandle,
        offset: u64,
        reply: ReplyDirectoryPlus,
    ) {
        self.handle(request, Counter::ReadDirPlus, ino, |volume| {
            reply_entries(volume, reply, offset, ops::listing(volume, handle.0, offset));
        });
    }

    fn releasedir(
        &self,
        request: &Request,
        ino: INodeNo,
        handle: FileHandle,
        _flags: OpenFlags,
        reply: ReplyEmpty,
    ) {
        self.empty(request, Counter::ReleaseDir, ino, reply, |volume| ops::releasedir(volume, handle.0));
    }

    fn fsyncdir(&self, request: &Request, ino: INodeNo, handle: FileHandle, _data: bool, reply: ReplyEmpty) {
        self.empty(request, Counter::FsyncDir, ino, reply, |volume| ops::fsync_dir(volume, handle.0));
    }

    fn statfs(&self, request: &Request, ino: INodeNo, reply: ReplyStatfs) {
        self.handle(request, Counter::StatFs, ino, |volume| match ops::statfs(volume) {
            Ok(space) => reply.statfs(
                space.f_blocks,
                space.f_bfree,
                space.f_bavail,
                space.f_files,
                space.f_ffree,
                u32::try_from(space.f_bsize).unwrap_or(4096),
                u32::try_from(space.f_namemax).unwrap_or(255),
                u32::try_from(space.f_frsize).unwrap_or(4096),
            ),
            Err(error) => reply.error(wire(&error)),
        });
    }

    // ENOSYS makes the kernel answer EOPNOTSUPP from then on without asking; without it every write(2) would ask for
    // security.capability first.
    fn setxattr(
        &self,
        request: &Request,
        ino: INodeNo,
        _name: &OsStr,
        _value: &[u8],
        _flags: i32,
        _position: u32,
        reply: ReplyEmpty,
    ) {
        self.handle(request, Counter::Xattr, ino, |_| reply.error(Errno::ENOSYS));
    }

    fn getxattr(&self, request: &Request, ino: INodeNo, _name: &OsStr, _size: u32, reply: ReplyXattr) {
        self.handle(request, Counter::Xattr, ino, |_| reply.error(Errno::ENOSYS));
    }

    fn listxattr(&self, request: &Request, ino: INodeNo, _size: u32, reply: ReplyXattr) {
        self.handle(request, Counter::Xattr, ino, |_| reply.error(Errno::ENOSYS));
    }

    fn removexattr(&self, request: &Request, ino: INodeNo, _name: &OsStr, reply: ReplyEmpty) {
        self.handle(request, Counter::Xattr, ino, |_| reply.error(Errno::ENOSYS));
    }

    fn access(&self, request: &Request, ino: INodeNo, mask: AccessFlags, reply: ReplyEmpty) {
        self.empty(request, Counter::Access, ino, reply, |volume| {
            let mask = AccessMask {
                read: mask.contains(AccessFlags::R_OK),
                write: mask.contains(AccessFlags::W_OK),
                execute: mask.contains(AccessFlags::X_OK),
            };
            ops::access(volume, caller(request), node(ino), mask)
        });
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        _mode: u32,
        _umask: u32,
        flags: i32,
        reply: ReplyCreate,
    ) {
        self.handle(request, Counter::Create, parent, |volume| {
            let exclusive = flags & libc::O_EXCL != 0;
            let made =
                ops::create(volume, caller(request), node(parent), name.as_bytes(), access(flags), exclusive);
            match made {
                Ok(created) => {
                    let (entry, opened) = (&created.entry, &created.opened);
                    let attr = attributes(entry.node, &entry.meta);
                    let handle = FileHandle(opened.handle);
                    let none = FopenFlags::empty();
                    match &opened.mode {
                        IoMode::Kernel(registered) => {
                            #[expect(unsafe_code, reason = "the library's way to name a backing file")]
                            // SAFETY: the number is registered on this connection, and `registered` keeps it so.
                            let named = Named(Some(unsafe { reply.wrap_backing(registered.id()) }));
                            let (ttl, generation) = (&entry.entry_ttl, generation(entry));
                            match &named.0 {
                                Some(id) => {
                                    reply.created_passthrough(ttl, &attr, generation, handle, none, id);
                                }
                                None => reply.created(ttl, &attr, generation, handle, none),
                            }
                        }
                        IoMode::Daemon => {
                            reply.created(&entry.entry_ttl, &attr, generation(entry), handle, none);
                        }
                    }
                }
                Err(error) => reply.error(wire(&error)),
            }
        });
    }

    fn ioctl(
        &self,
        request: &Request,
        ino: INodeNo,
        _handle: FileHandle,
        _flags: IoctlFlags,
        _command: u32,
        _data: &[u8],
        _size: u32,
        reply: ReplyIoctl,
    ) {
        self.handle(request, Counter::Ioctl, ino, |_| reply.error(Errno::ENOTTY));
    }

    fn poll(
        &self,
        request: &Request,
        ino: INodeNo,
        _handle: FileHandle,
        _notifier: PollNotifier,
        _events: PollEvents,
        _flags: PollFlags,
        reply: ReplyPoll,
    ) {
        // Files are always ready; the kernel says so itself once it has heard this.
        self.handle(request, Counter::Poll, ino, |_| reply.error(Errno::ENOSYS));
    }

    fn fallocate(
        &self,
        request: &Request,
        ino: INodeNo,
        handle: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        self.empty(request, Counter::Fallocate, ino, reply, |volume| {
            ops::allocate(volume, handle.0, mode.cast_unsigned(), offset, length)
        });
    }

    fn lseek(
        &self,
        request: &Request,
        ino: INodeNo,
        handle: FileHandle,
        offset: i64,
        whence: i32,
        reply: ReplyLseek,
    ) {
        self.handle(request, Counter::Lseek, ino, |volume| {
            match ops::seek(volume, handle.0, offset, whence) {
                Ok(position) => reply.offset(i64::try_from(position).unwrap_or(i64::MAX)),
                Err(error) => reply.error(wire(&error)),
            }
        });
    }

    fn copy_file_range(
        &self,
        request: &Request,
        ino_in: INodeNo,
        handle_in: FileHandle,
        offset_in: u64,
        _ino_out: INodeNo,
        handle_out: FileHandle,
        offset_out: u64,
        length: u64,
        _flags: CopyFileRangeFlags,
        reply: ReplyWrite,
    ) {
        self.handle(request, Counter::CopyFileRange, ino_in, |volume| {
            if ops::kernel_copies(volume) {
                // It never asks again, and copies from file to file as it splices (fs/fuse/file.c, fuse_copy_file_range).
                return reply.error(Errno::ENOSYS);
            }
            match ops::copy_range(volume, (handle_in.0, offset_in), (handle_out.0, offset_out), length) {
                Ok(copied) => reply.written(u32::try_from(copied).unwrap_or(u32::MAX)),
                Err(error) => reply.error(wire(&error)),
            }
        });
    }
}
