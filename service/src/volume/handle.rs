//! Open files and directories.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::Snapshot;
use super::location::Sight;
use crate::lower::{Access, LowerError, Root};
use crate::node::{File, KeptListing, Writing};
use crate::passthrough::{IoMode, Passthrough, Ticket};

/// An open file. Dropping it leaves the inode's I/O state.
#[derive(Debug)]
pub struct FileHandle {
    /// What is open.
    pub file: Arc<File>,
    /// Who opened it.
    pub uid: u32,
    /// How the daemon would open the lower file.
    pub access: Access,
    /// How reads and writes are served.
    pub mode: IoMode,
    /// Which bytes it shows.
    pub sight: Sight,
    /// The lower file, `O_PATH`.
    fd: Arc<OwnedFd>,
    /// The lower file, opened for the daemon's own input and output once that is needed.
    io: OnceLock<OwnedFd>,
    writing: Option<Writing>,
    passthrough: Arc<Passthrough>,
    _ticket: Ticket,
}

impl FileHandle {
    /// A handle whose view's I/O state was joined already. `ticket` is its place among the caller's open handles.
    #[expect(clippy::too_many_arguments, reason = "all of it is what an open file consists of")]
    pub fn new(
        file: Arc<File>,
        uid: u32,
        access: Access,
        mode: IoMode,
        sight: Sight,
        fd: Arc<OwnedFd>,
        passthrough: Arc<Passthrough>,
        ticket: Ticket,
    ) -> FileHandle {
        let writing = (access != Access::Read).then(|| file.write());
        FileHandle {
            file,
            uid,
            access,
            mode,
            sight,
            fd,
            io: OnceLock::new(),
            writing,
            passthrough,
            _ticket: ticket,
        }
    }

    /// The lower file, for what needs no access mode.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// The same, to outlive the handle.
    pub fn lower(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.fd)
    }

    /// True for a handle that was opened for writing.
    pub fn is_writer(&self) -> bool {
        self.access != Access::Read
    }

    /// The lower file, opened as this handle was.
    pub fn io(&self) -> Result<BorrowedFd<'_>, LowerError> {
        if let Some(fd) = self.io.get() {
            return Ok(fd.as_fd());
        }
        let opened = Root::reopen(self.fd.as_fd(), self.access)?;
        // Two requests may have opened it at once; one of the descriptors is kept.
        Ok(self.io.get_or_init(|| opened).as_fd())
    }
}

impl Drop for FileHandle {
    fn drop(&mut self) {
        // While nobody hears of writes nobody reads by way of the daemon ([`File::hush`]): the silence ends first.
        drop(self.writing.take());
        self.passthrough.leave(self.file.io(self.sight.view()), !self.file.is_removed());
        if self.file.is_removed() {
            // It may have been removed just before it was parked.
            self.file.cool_down();
        }
    }
}

/// An open directory.
#[derive(Debug)]
pub struct DirHandle {
    /// What is open.
    pub file: Arc<File>,
    /// Who opened it.
    pub uid: u32,
    /// The lower directory, opened for reading.
    pub fd: OwnedFd,
    /// What is shown of it, once that was asked for.
    pub snapshot: Mutex<Option<Arc<Snapshot>>>,
    /// That the kernel may list it by what it keeps.
    pub kept: Option<KeptListing>,
    /// Its place among the caller's open handles.
    pub ticket: Ticket,
}

impl DirHandle {
    /// Less than all is shown by this handle: nobody is to be listed by what the kernel keeps of that.
    pub fn shows_less(&self) {
        if let Some(kept) = &self.kept {
            kept.spoil();
        }
    }
}
