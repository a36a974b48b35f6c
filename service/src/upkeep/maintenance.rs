//! Runs of maintenance: one at a time, on command or by the clock.
//!
//! Locks: `state` is a leaf.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::steps::{STEPS, Work};
use super::{Departing, Places};
use crate::catalog::Catalog;
use crate::identity::Identity;
use crate::observe::{Counter, Observer};

/// What time it is, in seconds since 1970.
pub type Clock = fn() -> i64;

/// A step, as of now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepStatus {
    /// Its name.
    pub name: &'static str,
    /// `waiting`, `running`, `done`, `cancelled` or `failed`.
    pub phase: &'static str,
    /// How many things it changed.
    pub done: u64,
    /// How many it could not.
    pub failed: u64,
    /// What it did, in words.
    pub said: String,
}

/// A run, as of now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunStatus {
    /// Its number.
    pub number: u64,
    /// `waiting`, `running`, `done`, `cancelled` or `failed`.
    pub phase: &'static str,
    /// How long it has taken.
    pub took: Duration,
    /// Its steps, in order.
    pub steps: Vec<StepStatus>,
}

/// What a run works with.
pub(super) struct Means {
    pub(super) catalog: Arc<Catalog>,
    pub(super) identity: Arc<Identity>,
    pub(super) departing: Arc<Departing>,
    pub(super) observer: Arc<Observer>,
    pub(super) places: Places,
    pub(super) clock: Clock,
    /// The step is to end now.
    pub(super) cancel: AtomicBool,
}

#[derive(Default)]
struct State {
    wanted: bool,
    stop: bool,
    began: Option<Instant>,
    run: RunStatus,
}

struct Shared {
    means: Means,
    state: Mutex<State>,
    changed: Condvar,
    done: AtomicU64,
    failed: AtomicU64,
}

/// Goes through the steps when asked to, and each time that `every` has passed. Stops when dropped.
pub struct Maintenance {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Maintenance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Maintenance").field("last", &self.status()).finish_non_exhaustive()
    }
}

impl Maintenance {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// When there can be no more threads.
    pub fn start(
        departing: &Arc<Departing>,
        places: Places,
        clock: Clock,
        every: Option<Duration>,
    ) -> std::io::Result<Maintenance> {
        let (catalog, identity, observer) = departing.parts();
        let means = Means {
            catalog,
            identity,
            observer,
            departing: Arc::clone(departing),
            places,
            clock,
            cancel: AtomicBool::new(false),
        };
        let shared = Arc::new(Shared {
            means,
            state: Mutex::default(),
            changed: Condvar::new(),
            done: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        });
        let too = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("upkeep".into()).spawn(move || too.run(every))?;
        Ok(Maintenance { shared, thread: Some(thread) })
    }

    /// Asks for a run: the one that waits or goes on already, or a new one.
    pub fn request(&self) -> RunStatus {
        {
            let mut state = self.shared.state.lock();
            if !matches!(state.run.phase, "waiting" | "running") {
                state.begin();
                self.shared.changed.notify_all();
            }
        }
        self.status().unwrap_or_default()
    }

    /// The run that waits, goes on, or was last.
    pub fn status(&self) -> Option<RunStatus> {
        let state = self.shared.state.lock();
        if state.run.number == 0 {
            return None;
        }
        let mut run = state.run.clone();
        if run.phase == "running" {
            run.took = state.began.map(|began| began.elapsed()).unwrap_or_default();
        }
        if let Some(step) = run.steps.iter_mut().find(|it| it.phase == "running") {
            step.done = self.shared.done.load(Relaxed);
            step.failed = self.shared.failed.load(Relaxed);
        }
        Some(run)
    }

    /// Cancels the run that waits or goes on; false if there is none.
    pub fn cancel(&self) -> bool {
        let state = self.shared.state.lock();
        let live = matches!(state.run.phase, "waiting" | "running");
        if live {
            self.shared.means.cancel.store(true, Relaxed);
        }
        live
    }
}

impl Drop for Maintenance {
    fn drop(&mut self) {
        self.shared.means.cancel.store(true, Relaxed);
        self.shared.state.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("maintenance panicked");
        }
    }
}

impl State {
    fn begin(&mut self) {
        self.wanted = true;
        let steps =
            STEPS.iter().map(|(name, _)| StepStatus { name, phase: "waiting", ..StepStatus::default() });
        self.run = RunStatus {
            number: self.run.number + 1,
            phase: "waiting",
            took: Duration::ZERO,
            steps: steps.collect(),
        };
    }
}

impl Shared {
    fn run(&self, every: Option<Duration>) {
        loop {
            {
                let due = every.map(|every| Instant::now() + every);
                let mut state = self.state.lock();
                while !state.wanted && !state.stop {
                    match due {
                        None => self.changed.wait(&mut state),
                        Some(due) => {
                            if self.changed.wait_until(&mut state, due).timed_out() && !state.wanted {
                                state.begin();
                            }
                        }
                    }
                }
                if state.stop {
                    return;
                }
                state.wanted = false;
                state.run.phase = "running";
                state.began = Some(Instant::now());
            }
            self.means.observer.count(Counter::MaintenanceRuns);
            for (number, (name, step)) in STEPS.iter().enumerate() {
                self.step(number, name, *step);
            }
            self.end();
        }
    }

    fn step(&self, number: usize, name: &str, step: super::steps::Step) {
        self.done.store(0, Relaxed);
        self.failed.store(0, Relaxed);
        let set = |change: &dyn Fn(&mut StepStatus)| {
            if let Some(status) = self.state.lock().run.steps.get_mut(number) {
                change(status);
            }
        };
        if self.means.cancel.load(Relaxed) {
            return set(&|it| it.phase = "cancelled");
        }
        set(&|it| it.phase = "running");
        let work = Work { means: &self.means, done: &self.done, failed: &self.failed };
        let (phase, said) = match step(&work) {
            Ok(said) if self.means.cancel.load(Relaxed) => ("cancelled", said),
            Ok(said) => ("done", said),
            Err(error) => {
                log::error!("maintenance: {name}: {error}");
                ("failed", error.to_string())
            }
        };
        let (done, failed) = (self.done.load(Relaxed), self.failed.load(Relaxed));
        if done + failed > 0 {
            log::info!("maintenance: {name}: {said}");
        }
        set(&|it| {
            *it = StepStatus { name: it.name, phase, done, failed, said: said.clone() };
        });
    }

    fn end(&self) {
        let mut state = self.state.lock();
        let ended = |phase| state.run.steps.iter().any(|it| it.phase == phase);
        state.run.phase = match (ended("cancelled"), ended("failed")) {
            (true, _) => "cancelled",
            (false, true) => "failed",
            (false, false) => "done",
        };
        state.run.took = state.began.map(|began| began.elapsed()).unwrap_or_default();
        if !state.stop {
            self.means.cancel.store(false, Relaxed);
        }
    }
}
