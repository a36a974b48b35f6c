//! Who may write a file at the moment, and what is not said of their writes.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};

use parking_lot::Mutex;

use super::File;

/// Nobody reports writes to a file while this is there: what its writers do is found out when they leave. Dropping it ends that.
pub trait Hushed: Debug + Send + Sync {}

/// The writers of a file.
#[derive(Debug, Default)]
pub(super) struct Writers {
    now: AtomicU32,
    /// How many there have ever been.
    ever: AtomicU64,
    /// Set while there are some, and the kernel serves all of them. Whoever leaves does so with this locked: the last one ends the silence
    /// first, so that what others write from then on is heard of by whoever sees that there is no writer left.
    hushed: Mutex<Option<Box<dyn Hushed>>>,
    /// They were heard of once: most are gone before they are heard of again, and need no silence.
    heard: AtomicBool,
}

impl Writers {
    pub(super) fn are_there(&self) -> bool {
        self.now.load(SeqCst) > 0
    }

    fn leave(&self) {
        let mut hushed = self.hushed.lock();
        if self.now.load(SeqCst) == 1 {
            // Somebody may come meanwhile. Then more is heard than has to be.
            drop(hushed.take());
            self.heard.store(false, SeqCst);
        }
        self.now.fetch_sub(1, SeqCst);
    }
}

impl File {
    /// From now on, and until the guard is dropped, the file may be written.
    pub fn write(self: &Arc<File>) -> Writing {
        let writers = &self.used().writers;
        writers.now.fetch_add(1, SeqCst);
        writers.ever.fetch_add(1, SeqCst);
        Writing(Arc::clone(self))
    }

    /// A number that stays the same for as long as nobody may write; `None` while somebody may.
    pub fn quiet(&self) -> Option<u64> {
        // In this order: who comes between the two changes the number that is asked for later.
        let Some(writers) = self.writers() else { return Some(0) };
        let ever = writers.ever.load(SeqCst);
        (!writers.are_there()).then_some(ever)
    }

    /// True while a handle that can write is open: attributes may change without a request.
    pub fn has_writers(&self) -> bool {
        self.writers().is_some_and(Writers::are_there)
    }

    /// Its writers were heard of: the second time lets `hush` end the reports of what is written to the file until the last of them leaves.
    /// `hush` is called with a lock held that is taken before that of the file's I/O state, and decides whether to do it.
    pub fn hush(&self, hush: impl FnOnce() -> Option<Box<dyn Hushed>>) {
        let Some(writers) = self.writers() else { return };
        let mut hushed = writers.hushed.lock();
        if hushed.is_none() && writers.are_there() && writers.heard.swap(true, SeqCst) {
            *hushed = hush();
        }
    }

    /// Has what is written reported again.
    pub fn end_hush(&self) {
        if let Some(writers) = self.writers() {
            drop(writers.hushed.lock().take());
        }
    }
}

/// Somebody may write a file.
#[derive(Debug)]
pub struct Writing(Arc<File>);

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.used().writers.leave();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;
    use crate::lower::{FileKind, Id};

    #[derive(Debug)]
    struct Flag(Arc<AtomicBool>, Arc<File>);

    impl Hushed for Flag {}

    impl Drop for Flag {
        fn drop(&mut self) {
            assert!(self.1.has_writers(), "who sees that there is none hears of what others write");
            self.0.store(false, Relaxed);
        }
    }

    fn file() -> Arc<File> {
        Arc::new(File::new(Id { ino: 2, generation: 0 }, FileKind::File, None, b"a"))
    }

    #[test]
    fn it_is_silent_until_the_last_writer_leaves() {
        let (file, silent) = (file(), Arc::new(AtomicBool::new(false)));
        let hush = || {
            file.hush(|| {
                assert!(!silent.swap(true, Relaxed), "once is enough");
                Some(Box::new(Flag(Arc::clone(&silent), Arc::clone(&file))))
            });
            silent.load(Relaxed)
        };
        assert!(!hush() && !hush(), "nobody writes");
        let writers = [file.write(), file.write()];
        assert!(!hush() && hush() && hush());
        let [first, second] = writers;
        drop(first);
        assert!(silent.load(Relaxed));
        drop(second);
        assert!(!silent.load(Relaxed) && !hush() && !file.has_writers());
        let _again = file.write();
        assert!(!hush() && hush());
        file.end_hush();
        assert!(!silent.load(Relaxed) && hush());
    }

    #[test]
    fn what_cannot_be_hushed_stays_as_it_is() {
        let file = file();
        let _writing = file.write();
        let mut asked = 0;
        for _ in 0..3 {
            file.hush(|| {
                asked += 1;
                None
            });
        }
        assert_eq!(asked, 2);
    }
}
