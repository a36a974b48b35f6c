use std::collections::VecDeque;

use rsbinder::{BinderResult, StatusCode};

use super::*;
use crate::control::store::{ChangeNotice, NoticeKind};

/// How many changes, and how many were missed.
type Heard = (usize, i64);

/// Answers calls as it was told to, and then well; remembers them.
struct Ear {
    answers: Mutex<VecDeque<StatusCode>>,
    heard: crossbeam_channel::Sender<Heard>,
}

impl platform::Interface for Ear {}

impl aidl::IMediaObserver for Ear {
    fn onChanged(&self, changes: &[aidl::ChangeNotice], missed: i64) -> BinderResult<()> {
        match self.answers.lock().pop_front() {
            Some(status) => Err(status.into()),
            None => {
                self.heard.send((changes.len(), missed)).unwrap();
                Ok(())
            }
        }
    }
}

#[derive(Default)]
struct Place {
    waiting: Mutex<VecDeque<Told>>,
    closed: Mutex<bool>,
    asked: Mutex<u32>,
}

impl Observation for Place {
    fn take(&self, _: Duration) -> Taken {
        *self.asked.lock() += 1;
        if *self.closed.lock() {
            return Taken::Closed;
        }
        self.waiting.lock().pop_front().map_or(Taken::Nothing, Taken::Told)
    }

    fn give_back(&self, (told, missed): Told) {
        let missed = missed + told.len() as u64;
        self.waiting.lock().push_back((vec![notice(NoticeKind::Many)], missed));
    }

    fn close(&self) {
        *self.closed.lock() = true;
    }
}

fn notice(kind: NoticeKind) -> ChangeNotice {
    ChangeNotice { kind, volume: "v".into(), id: 1, generation: 1 }
}

fn two() -> Told {
    (vec![notice(NoticeKind::Added), notice(NoticeKind::Changed)], 0)
}

fn begun(
    answers: &[StatusCode],
) -> (Arc<Observers>, Arc<Place>, SIBinder, crossbeam_channel::Receiver<Heard>) {
    let all = Arc::new(Observers::new());
    let (heard, hears) = crossbeam_channel::unbounded();
    let ear = platform::new_observer(Ear { answers: Mutex::new(answers.iter().copied().collect()), heard });
    let place = Arc::new(Place::default());
    all.add(1, &ear, &(place.clone() as Arc<dyn Observation>), true).unwrap();
    (all, place, ear.as_binder(), hears)
}

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn what_comes_is_told_when_the_bell_rings() {
    let (all, place, _, hears) = begun(&[]);
    place.waiting.lock().push_back(two());
    all.bell()();
    assert_eq!(hears.recv_timeout(PATIENCE), Ok((2, 0)));
}

#[test]
fn who_cannot_be_called_for_a_while_is_told_how_much_it_missed() {
    let (all, place, binder, hears) = begun(&[StatusCode::FailedTransaction, StatusCode::WouldBlock]);
    place.waiting.lock().push_back(two());
    all.bell()();
    // Two changes, and the notice that stood for them when it failed again.
    assert_eq!(hears.recv_timeout(PATIENCE), Ok((1, 3)));
    assert!(all.place(1, &binder).is_some());
}

#[test]
fn who_is_dead_is_forgotten() {
    let (all, place, binder, hears) = begun(&[StatusCode::DeadObject]);
    place.waiting.lock().push_back(two());
    all.bell()();
    let begin = Instant::now();
    while all.place(1, &binder).is_some() {
        assert!(begin.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    assert!(*place.closed.lock());
    assert!(hears.is_empty());
}

/// Its place may be closed by somebody else: by its obituary, which may come before all is set up, or for another one's sake.
#[test]
fn whose_place_is_closed_is_forgotten_and_costs_nothing() {
    let (all, place, binder, _) = begun(&[]);
    place.close();
    all.bell()();
    let begin = Instant::now();
    while all.place(1, &binder).is_some() {
        assert!(begin.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    let asked = *place.asked.lock();
    for _ in 0..100 {
        all.tell();
    }
    assert_eq!(*place.asked.lock(), asked, "nobody looks any more");
}

#[test]
fn one_thread_calls_them_all() {
    let all = Arc::new(Observers::new());
    let (heard, hears) = crossbeam_channel::unbounded();
    let mut places = Vec::new();
    for uid in 0..200 {
        let ear = platform::new_observer(Which(heard.clone()));
        let place = Arc::new(Place::default());
        place.waiting.lock().push_back(two());
        all.add(uid, &ear, &(place.clone() as Arc<dyn Observation>), true).unwrap();
        places.push(place);
    }
    all.bell()();
    let threads: std::collections::HashSet<_> =
        places.iter().map(|_| hears.recv_timeout(PATIENCE).unwrap()).collect();
    assert_eq!(threads.len(), 1);
    assert_eq!(all.by_uid().len(), 200);
}

/// Says which thread called.
struct Which(crossbeam_channel::Sender<std::thread::ThreadId>);

impl platform::Interface for Which {}

impl aidl::IMediaObserver for Which {
    fn onChanged(&self, _: &[aidl::ChangeNotice], _: i64) -> BinderResult<()> {
        self.0.send(std::thread::current().id()).unwrap();
        Ok(())
    }
}
