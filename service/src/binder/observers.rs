//! Observers as clients have registered them, and the thread that calls those that can be called.
//!
//! On kernel binder one thread, `binder-tell`, calls all of them: the calls are one-way and do not wait. A bell is rung when
//! something waits for any of them. A call that fails gives what it told back, to be told in more general terms later; only an
//! observer whose process is gone is forgotten. A session on a socket has no connection for calls of the service's own, so its
//! client takes what waits by `awaitChanges`. Either way an observer ends with its process.
//!
//! Locks: `list` and `teller`, for bookkeeping; neither is held across a call, nor both.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use mediagate_aidl as aidl;
use parking_lot::Mutex;

use super::platform::{self, Failure, Interface as _, SIBinder, Strong};
use super::store_wire as wire;
use crate::control::ControlError;
use crate::control::store::{Bell, Observation, Taken, Told};

/// How long an observer whose call failed is left alone: at first, and at most. A frozen app's buffer is full for as long as it
/// is frozen.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long the thread sleeps when nothing is due.
const SLEEP: Duration = Duration::from_secs(60);

/// Those who observe.
pub(super) struct Observers {
    list: Mutex<Vec<Watcher>>,
    ring: Sender<()>,
    /// What the thread listens to, until it runs.
    teller: Mutex<Option<Receiver<()>>>,
}

struct Watcher {
    observer: SIBinder,
    uid: u32,
    place: Arc<dyn Observation>,
    /// What is called, if its process can be.
    called: Option<Called>,
    /// Told of the end of its process.
    obituary: Option<platform::Obituary>,
}

struct Called {
    observer: Strong<dyn aidl::IMediaObserver>,
    /// Not before this, after calls that failed.
    due: Instant,
    pause: Duration,
}

impl Observers {
    pub(super) fn new() -> Self {
        // One ring is as good as many.
        let (ring, rung) = crossbeam_channel::bounded(1);
        Observers { list: Mutex::default(), ring, teller: Mutex::new(Some(rung)) }
    }

    /// What is to be rung when something comes for an observer that is called.
    pub(super) fn bell(&self) -> Bell {
        let ring = self.ring.clone();
        Arc::new(move || {
            // Full: it was rung already.
            let _ = ring.try_send(());
        })
    }

    /// The place of an observer of `uid`.
    pub(super) fn place(&self, uid: u32, observer: &SIBinder) -> Option<Arc<dyn Observation>> {
        let list = self.list.lock();
        list.iter().find(|it| it.uid == uid && it.observer == *observer).map(|it| Arc::clone(&it.place))
    }

    /// Adds an observer of `uid`, which is called if it `can_be`, until its process ends.
    pub(super) fn add(
        self: &Arc<Self>,
        uid: u32,
        observer: &Strong<dyn aidl::IMediaObserver>,
        place: &Arc<dyn Observation>,
        can_be: bool,
    ) -> Result<(), ControlError> {
        let binder = observer.as_binder();
        let called =
            can_be.then(|| Called { observer: observer.clone(), due: Instant::now(), pause: Duration::ZERO });
        let watcher =
            Watcher { observer: binder.clone(), uid, place: Arc::clone(place), called, obituary: None };
        // First: its process may be gone before anybody is told of that.
        self.list.lock().push(watcher);
        let (weak, who) = (Arc::downgrade(self), Arc::downgrade(place));
        let obituary = platform::when_dead(&binder, move || {
            if let (Some(all), Some(place)) = (weak.upgrade(), who.upgrade()) {
                all.remove(&place);
            }
        });
        if let Some(watcher) = self.list.lock().iter_mut().find(|it| Arc::ptr_eq(&it.place, place)) {
            watcher.obituary = Some(obituary);
        }
        if can_be && let Err(error) = self.start() {
            self.remove(place);
            return Err(ControlError::Failed(format!("cannot start a thread: {error}")));
        }
        // Something may have come before there was anybody to be called.
        self.bell()();
        Ok(())
    }

    /// Forgets an observer of `uid`; false if there is none.
    pub(super) fn forget(&self, uid: u32, observer: &SIBinder) -> bool {
        self.place(uid, observer).is_some_and(|place| self.remove(&place))
    }

    pub(super) fn remove(&self, place: &Arc<dyn Observation>) -> bool {
        let gone = {
            let mut list = self.list.lock();
            let at = list.iter().position(|it| Arc::ptr_eq(&it.place, place));
            at.map(|at| list.swap_remove(at))
        };
        if let Some(gone) = &gone {
            gone.place.close();
        }
        gone.is_some()
    }

    /// Of each uid: how many observers, and how many of them could not be called the last time.
    pub(super) fn by_uid(&self) -> Vec<(u32, usize, usize)> {
        let mut all = std::collections::BTreeMap::<u32, (usize, usize)>::new();
        for it in self.list.lock().iter() {
            let of_uid = all.entry(it.uid).or_default();
            of_uid.0 += 1;
            of_uid.1 += usize::from(it.called.as_ref().is_some_and(|it| !it.pause.is_zero()));
        }
        all.into_iter().map(|(uid, (all, slow))| (uid, all, slow)).collect()
    }

    fn start(self: &Arc<Self>) -> std::io::Result<()> {
        let mut teller = self.teller.lock();
        let Some(rung) = teller.clone() else { return Ok(()) };
        let weak = Arc::downgrade(self);
        std::thread::Builder::new().name("binder-tell".to_owned()).spawn(move || run(&weak, &rung))?;
        *teller = None;
        Ok(())
    }

    /// Calls all for whom something waits; says for how long nobody has to be called again unless something comes.
    fn tell(&self) -> Duration {
        let now = Instant::now();
        let due: Vec<_> = {
            let list = self.list.lock();
            let called = list.iter().filter_map(|it| Some((&it.place, it.called.as_ref()?)));
            let due = called.filter(|(_, it)| it.due <= now);
            due.map(|(place, it)| (Arc::clone(place), it.observer.clone())).collect()
        };
        for (place, observer) in due {
            match place.take(Duration::ZERO) {
                Taken::Told(told) => self.call(&place, &*observer, told),
                Taken::Nothing => {}
                Taken::Closed => {
                    self.remove(&place);
                }
            }
        }
        let now = Instant::now();
        let list = self.list.lock();
        let waiting = list.iter().filter_map(|it| it.called.as_ref()).filter(|it| !it.pause.is_zero());
        waiting.map(|it| it.due.saturating_duration_since(now)).min().map_or(SLEEP, |it| it.min(SLEEP))
    }

    fn call(&self, place: &Arc<dyn Observation>, observer: &dyn aidl::IMediaObserver, told: Told) {
        let batch = wire::batch_to_wire(told.clone());
        let failed = match observer.onChanged(&batch.changes, batch.missed) {
            Ok(()) => false,
            Err(why) if platform::failure(&why).0 == Failure::Dead => {
                self.remove(place);
                return;
            }
            Err(why) => {
                log::debug!("an observer cannot be called, and is told less later: {why}");
                place.give_back(told);
                true
            }
        };
        let mut list = self.list.lock();
        let of_place = list.iter_mut().find(|it| Arc::ptr_eq(&it.place, place));
        if let Some(called) = of_place.and_then(|it| it.called.as_mut()) {
            called.pause = match failed {
                true => (called.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE),
                false => Duration::ZERO,
            };
            called.due = Instant::now() + called.pause;
        }
    }
}

fn run(all: &Weak<Observers>, rung: &Receiver<()>) {
    let mut sleep = SLEEP;
    loop {
        if rung.recv_timeout(sleep) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
        let Some(all) = all.upgrade() else { return };
        sleep = all.tell();
    }
}

#[cfg(all(test, not(libbinder)))]
mod tests;
