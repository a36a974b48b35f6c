//! Threads of this process that do something on a mounted volume for somebody else.
//!
//! The store works on files through the volume's own mount, so that there is one way for a file to be made, moved,
//! opened or removed, whoever asks for it. The requests that come of it carry the service's uid; [`uid_of`] gives them
//! that of the caller they are for. (MediaProvider knows its own opens by their thread as well: `PendingOpenInfo`.)
//!
//! The kernel says which thread sent a request (fs/fuse/dev.c, `fuse_get_req`), so nobody else can pass for one of ours.
//! It does so for all that the thread itself waits for; nothing that the kernel does later on its own, as writing back
//! pages, is decided by uid.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering::Acquire, Ordering::Release};

use parking_lot::Mutex;

/// How many threads act for somebody: usually none, and then nothing is looked up.
static ACTING: AtomicUsize = AtomicUsize::new(0);
static FOR: LazyLock<Mutex<HashMap<u32, u32>>> = LazyLock::new(Mutex::default);

/// What this thread does on mounted volumes is done for a caller until this is dropped.
#[derive(Debug)]
pub struct Acting {
    thread: u32,
    before: Option<u32>,
    /// It is about the thread that made it.
    _here: std::marker::PhantomData<*const ()>,
}

impl Acting {
    /// Acts for `uid`.
    pub fn for_uid(uid: u32) -> Acting {
        let thread = rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned();
        let before = FOR.lock().insert(thread, uid);
        ACTING.fetch_add(1, Release);
        Acting { thread, before, _here: std::marker::PhantomData }
    }
}

impl Drop for Acting {
    fn drop(&mut self) {
        let mut acting = FOR.lock();
        match self.before {
            Some(uid) => acting.insert(self.thread, uid),
            None => acting.remove(&self.thread),
        };
        ACTING.fetch_sub(1, Release);
    }
}

/// Who a request of `uid`, sent by the thread `thread`, is really from.
pub fn uid_of(uid: u32, thread: u32) -> u32 {
    if ACTING.load(Acquire) == 0 || uid != rustix::process::geteuid().as_raw() {
        return uid;
    }
    FOR.lock().get(&thread).copied().unwrap_or(uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_of_the_thread_itself_are_somebody_elses() {
        let own = rustix::process::geteuid().as_raw();
        let thread = rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned();
        assert_eq!(uid_of(own, thread), own);
        let outer = Acting::for_uid(10_101);
        assert_eq!(uid_of(own, thread), 10_101);
        assert_eq!(uid_of(own, thread + 1), own);
        assert_eq!(uid_of(own + 1, thread), own + 1, "a thread of ours is never another uid");
        let inner = Acting::for_uid(10_102);
        assert_eq!(uid_of(own, thread), 10_102);
        drop(inner);
        assert_eq!(uid_of(own, thread), 10_101);
        drop(outer);
        assert_eq!(uid_of(own, thread), own);
    }
}
