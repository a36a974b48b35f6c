//! What the kernel keeps of a directory's listing: one for everybody, in the pages of the inode.
//!
//! It fills them with what READDIR answers to handles that OPENDIR told to (`FOPEN_CACHE_DIR`), lists the directory by them for such
//! handles, and drops them where OPENDIR does not say `FOPEN_KEEP_CACHE` (fs/fuse/readdir.c; fs/fuse/dir.c, `fuse_dir_open`). So
//! nobody may be let near them but who is shown all that is in the directory, and what they hold must be what is there. [`Kept`] knows
//! of which change time they are, and lets in the handles of one uid and one change time at once: what these fill in, which may
//! be what they find later, no other handle reads.

use std::sync::Arc;

use parking_lot::Mutex;

use super::File;

/// How a handle's listing is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// By requests; what the kernel keeps stays as it is.
    Asked,
    /// By requests, and the kernel keeps what is answered in place of what it has.
    Filled,
    /// By what the kernel keeps, as far as it does.
    Kept,
}

#[derive(Debug, Default)]
struct State {
    /// The change time of the directory whose listing the kernel keeps, in nanoseconds.
    version: Option<i64>,
    /// What it had before is dropped: it does so once the open is answered, before the first READDIR.
    dropped: bool,
    /// The handles that are let in.
    handles: u32,
    /// The uid and the change time of all of them; `None` if nobody is to join them.
    of: Option<(u32, i64)>,
}

/// What the kernel keeps of one directory.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<State>);

impl Kept {
    /// Whether a handle of `uid`, which is shown all that is in the directory as of `version`, is let in, and to what.
    fn enter(&self, uid: u32, version: i64) -> Listing {
        let mut state = self.0.lock();
        if state.handles > 0 && state.of != Some((uid, version)) {
            return Listing::Asked;
        }
        state.handles += 1;
        state.of = Some((uid, version));
        if state.version.replace(version) != Some(version) {
            state.dropped = false;
        }
        if state.dropped { Listing::Kept } else { Listing::Filled }
    }

    fn read(&self) {
        self.0.lock().dropped = true;
    }

    fn leave(&self) {
        self.0.lock().handles -= 1;
    }

    fn spoil(&self) {
        let mut state = self.0.lock();
        *state = State { handles: state.handles, ..State::default() };
    }
}

/// A handle that is let in, until it is dropped.
#[derive(Debug)]
pub struct KeptListing(Arc<File>);

impl KeptListing {
    /// A handle of `uid` on a directory, which is shown all that is in it as of `version`, its change time in nanoseconds: how its
    /// listing is to be served.
    pub fn enter(dir: &Arc<File>, uid: u32, version: i64) -> (Listing, Option<KeptListing>) {
        let listing = dir.kept().map_or(Listing::Asked, |kept| kept.enter(uid, version));
        (listing, (listing != Listing::Asked).then(|| KeptListing(Arc::clone(dir))))
    }

    /// The handle is read by a request.
    pub fn read(&self) {
        if let Some(kept) = self.0.kept() {
            kept.read();
        }
    }

    /// The handle may fill in less than all, or what is newer than it seems: nobody is to be served by that.
    pub fn spoil(&self) {
        if let Some(kept) = self.0.kept() {
            kept.spoil();
        }
    }
}

impl Drop for KeptListing {
    fn drop(&mut self) {
        if let Some(kept) = self.0.kept() {
            kept.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_of_one_version() {
        let kept = Kept::default();
        for (version, listing) in [
            (5, Listing::Filled),
            (5, Listing::Kept),
            (6, Listing::Filled),
            (6, Listing::Kept),
            (5, Listing::Filled),
        ] {
            assert_eq!(kept.enter(1, version), listing);
            kept.read();
            kept.leave();
        }
        assert_eq!(kept.enter(2, 5), Listing::Kept, "whoever it is");
    }

    #[test]
    fn one_uid_is_let_in_at_once() {
        let kept = Kept::default();
        assert_eq!(kept.enter(1, 5), Listing::Filled);
        assert_eq!(kept.enter(2, 5), Listing::Asked);
        assert_eq!(kept.enter(1, 6), Listing::Asked, "it changed meanwhile");
        assert_eq!(kept.enter(1, 5), Listing::Filled, "what was there may not be dropped yet");
        kept.read();
        assert_eq!(kept.enter(1, 5), Listing::Kept);
        kept.leave();
        kept.leave();
        assert_eq!(kept.enter(2, 5), Listing::Asked);
        kept.leave();
        assert_eq!(kept.enter(2, 6), Listing::Filled);
    }

    #[test]
    fn what_is_spoilt_is_not_used() {
        let kept = Kept::default();
        assert_eq!(kept.enter(1, 5), Listing::Filled);
        kept.read();
        kept.spoil();
        assert_eq!(kept.enter(1, 5), Listing::Asked, "who spoils it is still there");
        kept.leave();
        assert_eq!(kept.enter(1, 5), Listing::Filled);
    }
}
