//! A worker that has answered looks for the next request for a moment before it sleeps.
//!
//! Who sleeps in read(2) has to be woken for each request, and waking an idle processor takes longer than most requests do:
//! an interrupt, the way out of its idle state, on a virtual machine the host's scheduler. What apps do comes in bursts: who
//! opens a file opens another one. So one worker stays awake for some microseconds where requests follow each other closely, and
//! takes the next one without being waited for.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use parking_lot::Mutex;

/// A request that comes within so many times the longest look is one of a burst. More than one, because who sleeps sees it
/// only after having been woken.
const BURST: u32 = 4;
/// After so many misses in a row pauses do not get longer.
const MOST_MISSES: u32 = 6;
/// Who does not get its processor back for so long, in nanoseconds, has it taken from others who want it.
const WANTED: u64 = 20_000;

/// Whoever looks has it: one worker of all volumes at a time.
#[derive(Clone, Debug, Default)]
pub struct Turn(Arc<Mutex<()>>);

/// Of one volume.
#[derive(Debug)]
pub(super) struct BusyPoll {
    /// The longest look; zero: none at all.
    longest: Duration,
    turn: Turn,
    /// Any descriptor of the session says whether requests wait: all of them read one queue (fs/fuse/dev.c, `fuse_dev_poll`).
    device: OnceLock<OwnedFd>,
    begin: Instant,
    /// Requests that came.
    arrivals: AtomicU64,
    /// When one was answered last, in nanoseconds after `begin`.
    answered: AtomicU64,
    /// Of who has the turn.
    luck: Mutex<Luck>,
}

/// What came of looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// A request.
    Met,
    /// Another worker had the request, or the session ended.
    Taken,
    /// Nothing, or somebody else wanted the processor.
    InVain,
}

/// How often looking was in vain, so that it is not done all the time where it does not help.
#[derive(Debug, Default)]
struct Luck {
    /// In a row.
    misses: u32,
    /// Requests of bursts after which nobody looks.
    pause: u32,
}

impl Luck {
    /// Whether to look this time.
    fn tries(&mut self) -> bool {
        let due = self.pause == 0;
        self.pause = self.pause.saturating_sub(1);
        due
    }

    fn missed(&mut self) {
        self.misses = (self.misses + 1).min(MOST_MISSES);
        self.pause = (1 << self.misses) - 1;
    }
}

impl BusyPoll {
    pub(super) fn new(longest: Duration, turn: Turn) -> BusyPoll {
        BusyPoll {
            longest,
            turn,
            device: OnceLock::new(),
            begin: Instant::now(),
            arrivals: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            luck: Mutex::default(),
        }
    }

    /// Whether anybody is to look at all.
    pub(super) fn is_on(&self) -> bool {
        !self.longest.is_zero()
    }

    /// From now on `device` is looked at.
    pub(super) fn begin(&self, device: OwnedFd) {
        // A session begins once.
        let _ = self.device.set(device);
    }

    /// A request has come. Whether it is one of a burst, for [`BusyPoll::answered`].
    pub(super) fn arrived(&self) -> bool {
        if !self.is_on() {
            return false;
        }
        self.arrivals.fetch_add(1, Relaxed);
        self.now().saturating_sub(self.answered.load(Relaxed)) < nanos(self.longest * BURST)
    }

    /// A request was answered: looks for the next one if it was one of a burst. Returns when one is there, when another worker has
    /// it, or when none came. What came of it; `None` if nobody looked.
    pub(super) fn answered(&self, burst: bool) -> Option<Look> {
        // Whoever else wants this processor, the app that was answered above all, goes first.
        self.look(burst, std::thread::yield_now)
    }

    fn look(&self, burst: bool, mut give_way: impl FnMut()) -> Option<Look> {
        let device = self.device.get().filter(|_| self.is_on())?;
        let mut now = self.now();
        self.answered.store(now, Relaxed);
        if !burst {
            return None;
        }
        let _turn = self.turn.0.try_lock()?;
        let mut luck = self.luck.lock();
        if !luck.tries() {
            return None;
        }
        let arrivals = self.arrivals.load(Relaxed);
        let until = now + nanos(self.longest);
        loop {
            let mut fds = [PollFd::new(device.as_fd(), PollFlags::POLLIN)];
            if poll(&mut fds, PollTimeout::ZERO) != Ok(0) {
                // What is wrong, if anything is, is for who reads.
                if !fds[0].revents().is_some_and(|it| it.contains(PollFlags::POLLIN)) {
                    return Some(Look::Taken);
                }
                *luck = Luck::default();
                return Some(Look::Met);
            }
            if self.arrivals.load(Relaxed) != arrivals {
                return Some(Look::Taken);
            }
            give_way();
            let before = std::mem::replace(&mut now, self.now());
            if now > until || now - before > WANTED {
                luck.missed();
                return Some(Look::InVain);
            }
        }
    }

    fn now(&self) -> u64 {
        nanos(self.begin.elapsed())
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;

    /// Longer than any of these tests takes.
    const LONG: Duration = Duration::from_secs(60);

    /// With what stands for the device, and its other end.
    fn polled(longest: Duration) -> (BusyPoll, UnixStream) {
        let (device, kernel) = UnixStream::pair().unwrap();
        let polled = BusyPoll::new(longest, Turn::default());
        polled.begin(device.into());
        (polled, kernel)
    }

    /// Looks until a look is not given up because somebody else wanted the processor: others do while tests run.
    fn looks(polled: &BusyPoll, mut give_way: impl FnMut()) -> Look {
        loop {
            *polled.luck.lock() = Luck::default();
            match polled.look(true, &mut give_way) {
                Some(Look::InVain) => {}
                other => return other.unwrap(),
            }
        }
    }

    #[test]
    fn a_burst_is_what_comes_soon_after_an_answer() {
        let (late, _kernel) = polled(Duration::from_millis(1));
        assert_eq!(late.answered(false), None);
        std::thread::sleep(Duration::from_millis(1) * BURST);
        assert!(!late.arrived());
        let (soon, _kernel) = polled(LONG);
        assert_eq!(soon.answered(false), None);
        assert!(soon.arrived());
    }

    #[test]
    fn a_look_ends_with_the_next_request() {
        let (polled, mut kernel) = polled(LONG);
        let mut times = 0;
        let send = || {
            times += 1;
            if times == 5 {
                kernel.write_all(b"request").unwrap();
            }
        };
        assert_eq!(looks(&polled, send), Look::Met);
    }

    #[test]
    fn a_look_ends_when_another_worker_has_the_request() {
        let (polled, _kernel) = polled(LONG);
        polled.luck.lock().misses = 3;
        let taken = || _ = polled.arrived();
        let look = loop {
            polled.luck.lock().pause = 0;
            match polled.look(true, taken) {
                Some(Look::InVain) => {}
                other => break other,
            }
        };
        assert_eq!(look, Some(Look::Taken));
        // That was no hit.
        assert!(polled.luck.lock().misses >= 3);
    }

    /// The device of a session that is over has an error and nothing to read (fs/fuse/dev.c, `fuse_dev_poll`), as a pipe that nobody
    /// reads.
    #[test]
    fn a_look_ends_with_the_session() {
        let (reader, writer) = std::io::pipe().unwrap();
        let polled = BusyPoll::new(LONG, Turn::default());
        polled.begin(writer.into());
        drop(reader);
        assert_eq!(polled.answered(true), Some(Look::Taken));
    }

    #[test]
    fn a_look_in_vain_takes_no_longer_than_it_may() {
        let (polled, _kernel) = polled(Duration::from_millis(1));
        let begin = Instant::now();
        assert_eq!(polled.answered(true), Some(Look::InVain));
        assert!(begin.elapsed() < LONG);
    }

    #[test]
    fn who_takes_the_processor_from_others_gives_up_even_if_a_request_came_meanwhile() {
        let (polled, mut kernel) = polled(LONG);
        let long_way = || {
            std::thread::sleep(Duration::from_nanos(WANTED * 2));
            kernel.write_all(b"request").unwrap();
        };
        assert_eq!(polled.look(true, long_way), Some(Look::InVain));
        assert_eq!(polled.luck.lock().misses, 1);
    }

    #[test]
    fn who_looks_in_vain_pauses_longer_and_longer_and_a_hit_ends_that() {
        let (polled, mut kernel) = polled(Duration::from_nanos(1));
        let pauses = |polled: &BusyPoll| {
            let mut answers = 0;
            while polled.answered(true).is_none() {
                answers += 1;
            }
            answers
        };
        let so_far: Vec<u32> = (0..9).map(|_| pauses(&polled)).collect();
        assert_eq!(so_far, [0, 1, 3, 7, 15, 31, 63, 63, 63]);
        kernel.write_all(b"request").unwrap();
        assert_eq!(pauses(&polled), 63);
        assert_eq!(polled.answered(true), Some(Look::Met));
    }

    #[test]
    fn one_worker_of_all_volumes_looks_at_a_time() {
        let (one, mut kernel) = polled(LONG);
        let (device, _kernel) = UnixStream::pair().unwrap();
        let another = BusyPoll::new(LONG, one.turn.clone());
        another.begin(device.into());
        kernel.write_all(b"request").unwrap();
        let looking = another.turn.0.lock();
        assert_eq!(one.answered(true), None);
        drop(looking);
        assert_eq!(one.answered(true), Some(Look::Met));
    }

    #[test]
    fn nobody_looks_where_it_is_off_or_nothing_is_served_yet() {
        let (off, _kernel) = polled(Duration::ZERO);
        assert!(!off.arrived());
        assert_eq!(off.answered(true), None);
        assert_eq!(BusyPoll::new(LONG, Turn::default()).answered(true), None);
    }
}
