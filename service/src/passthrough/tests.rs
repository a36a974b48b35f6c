use std::collections::HashSet;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;
use parking_lot::Mutex;

use super::*;
use crate::observe::{Counter, Gauge, Observer};

/// Hands out numbers, or fails.
#[derive(Debug, Default)]
struct Device {
    next: Mutex<u32>,
    open: Mutex<HashSet<u32>>,
    fail: Mutex<Option<Errno>>,
}

impl BackingDevice for Device {
    fn open(&self, _file: BorrowedFd<'_>) -> Result<u32, Errno> {
        if let Some(errno) = *self.fail.lock() {
            return Err(errno);
        }
        let mut next = self.next.lock();
        *next += 1;
        self.open.lock().insert(*next);
        Ok(*next)
    }

    fn close(&self, id: u32) -> Result<(), Errno> {
        assert!(self.open.lock().remove(&id), "closed twice");
        Ok(())
    }
}

struct World {
    passthrough: Passthrough,
    device: Arc<Device>,
    handles: Arc<Budget>,
    observer: Arc<Observer>,
}

fn world(total: u32, per_uid: u32) -> World {
    parking_world(total, per_uid, 0)
}

/// Where so many files may be parked as long as nothing is open.
fn parking_world(total: u32, per_uid: u32, parked: u64) -> World {
    let observer = Arc::new(Observer::default());
    let budget = Budget::new(Limits { total, per_uid }, Gauge::BackingFiles, Arc::clone(&observer));
    let limits = Limits { total: 1000, per_uid: 1000 };
    let handles = Budget::new(limits, Gauge::Handles, Arc::clone(&observer));
    let room = Room { descriptors: parked.div_ceil(15) * 16, handles: Arc::clone(&handles), volumes: 1 };
    let passthrough = Passthrough::new(budget, room, Arc::clone(&observer));
    passthrough.keep_warm(parked > 0);
    let device = Arc::new(Device::default());
    passthrough.enable(Arc::clone(&device) as Arc<dyn BackingDevice>);
    World { passthrough, device, handles, observer }
}

fn fd() -> Arc<OwnedFd> {
    Arc::new(std::fs::File::open("/dev/null").unwrap().into())
}

fn id(mode: &IoMode) -> Option<u32> {
    match mode {
        IoMode::Kernel(registered) => Some(registered.id()),
        IoMode::Daemon => None,
    }
}

#[test]
fn opens_of_one_inode_share_a_backing_file_until_the_last_leaves() {
    let world = world(10, 10);
    let io = Mutex::new(IoState::default());
    let first = world.passthrough.join(&io, &fd(), 1);
    let second = world.passthrough.join(&io, &fd(), 2);
    assert_eq!(id(&first), id(&second));
    assert_eq!(world.device.open.lock().len(), 1);
    drop((first, second));
    drop(io.lock().leave(false));
    assert_eq!((world.device.open.lock().len(), world.observer.gauge(Gauge::BackingFiles)), (1, 1));
    let last = io.lock().leave(false);
    drop(last);
    assert_eq!((world.device.open.lock().len(), world.observer.gauge(Gauge::BackingFiles)), (0, 0));
    assert!(io.lock().fd().is_none());
}

#[test]
fn a_failed_registration_falls_back_and_the_inode_stays_that_way() {
    let world = world(10, 10);
    let io = Mutex::new(IoState::default());
    *world.device.fail.lock() = Some(Errno::ENFILE);
    assert_eq!(id(&world.passthrough.join(&io, &fd(), 1)), None);
    *world.device.fail.lock() = None;
    assert_eq!(id(&world.passthrough.join(&io, &fd(), 1)), None, "mixing would be EIO in the kernel");
    assert_eq!(world.observer.counter(Counter::DaemonNoResources), 1);
    assert_eq!(world.observer.counter(Counter::DaemonMode), 1);
    drop(io.lock().leave(false));
    drop(io.lock().leave(false));
    assert!(id(&world.passthrough.join(&io, &fd(), 1)).is_some(), "a fresh start");
}

#[test]
fn eperm_and_eloop_switch_passthrough_off_for_the_mount() {
    for errno in [Errno::EPERM, Errno::ELOOP] {
        let world = world(10, 10);
        *world.device.fail.lock() = Some(errno);
        let io = Mutex::new(IoState::default());
        assert_eq!(id(&world.passthrough.join(&io, &fd(), 1)), None);
        *world.device.fail.lock() = None;
        let other = Mutex::new(IoState::default());
        assert_eq!(id(&world.passthrough.join(&other, &fd(), 1)), None);
        assert_eq!(world.observer.counter(Counter::DaemonOff), 1);
        assert!(world.passthrough.describe().starts_with("off"));
        assert_eq!(world.observer.gauge(Gauge::BackingFiles), 0);
    }
}

#[test]
fn budgets_bound_a_uid_and_all_and_are_given_back() {
    let world = world(3, 2);
    let files: Vec<_> = (0..5).map(|_| Mutex::new(IoState::default())).collect();
    let uids = [1, 1, 1, 2, 2];
    let served: Vec<_> = files
        .iter()
        .zip(uids)
        .map(|(io, uid)| id(&world.passthrough.join(io, &fd(), uid)).is_some())
        .collect();
    assert_eq!(served, [true, true, false, true, false]);
    assert_eq!(world.observer.counter(Counter::DaemonBudgetUid), 1);
    assert_eq!(world.observer.counter(Counter::DaemonBudgetTotal), 1);
    for io in &files {
        let left = io.lock().leave(false);
        drop(left);
    }
    assert_eq!(world.observer.gauge(Gauge::BackingFiles), 0);
    assert!(id(&world.passthrough.join(&files[2], &fd(), 1)).is_some());
}

#[test]
fn racing_first_opens_agree_and_leak_nothing() {
    let world = world(1000, 1000);
    for _ in 0..200 {
        let io = Mutex::new(IoState::default());
        let barrier = std::sync::Barrier::new(4);
        let ids: HashSet<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|uid| {
                    let (io, world, barrier) = (&io, &world, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        id(&world.passthrough.join(io, &fd(), uid))
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(ids.len(), 1);
        assert_eq!(world.device.open.lock().len(), 1);
        for _ in 0..4 {
            let left = io.lock().leave(false);
            drop(left);
        }
        assert!(world.device.open.lock().is_empty());
    }
    assert_eq!(world.observer.gauge(Gauge::BackingFiles), 0);
}

fn shared_io() -> Arc<Mutex<IoState>> {
    Arc::default()
}

#[test]
fn a_file_that_is_opened_again_is_registered_once() {
    let world = parking_world(10, 1, 100);
    let io = shared_io();
    let first = id(&world.passthrough.join(&io, &fd(), 1));
    world.passthrough.leave(&io, true);
    // Parked it is nobody's: its first user may open something else.
    let other = shared_io();
    assert!(id(&world.passthrough.join(&other, &fd(), 1)).is_some());
    assert_eq!(id(&world.passthrough.join(&io, &fd(), 2)), first);
    assert_eq!(world.observer.counter(Counter::BackingRegistered), 2);
    assert_eq!(world.observer.gauge(Gauge::BackingFiles), 2);
    assert_eq!(world.observer.gauge(Gauge::BackingParked), 0);
    world.passthrough.leave(&io, true);
    assert_eq!(
        (world.observer.gauge(Gauge::BackingFiles), world.observer.gauge(Gauge::BackingParked)),
        (1, 1)
    );
}

#[test]
fn a_share_that_is_used_up_gets_no_parked_file_either() {
    let world = parking_world(10, 1, 100);
    let (io, other) = (shared_io(), shared_io());
    world.passthrough.join(&io, &fd(), 1);
    world.passthrough.leave(&io, true);
    world.passthrough.join(&other, &fd(), 1);
    assert_eq!(id(&world.passthrough.join(&io, &fd(), 1)), None);
    assert_eq!(world.device.open.lock().len(), 1, "the parked one was in the way of the daemon's");
    world.passthrough.leave(&io, true);
    assert!(io.lock().fd().is_none(), "what the daemon serves is not parked");
}

#[test]
fn parked_files_are_bounded_and_go_with_time() {
    let world = parking_world(1000, 1000, 32);
    let files: Vec<_> = (0..200).map(|_| shared_io()).collect();
    for io in &files {
        world.passthrough.join(io, &fd(), 1);
        world.passthrough.leave(io, true);
    }
    let open = world.device.open.lock().len();
    assert!((16..=33).contains(&open), "{open} are parked");
    assert_eq!(world.observer.gauge(Gauge::BackingParked), i64::try_from(open).unwrap());
    for _ in 0..5 {
        world.passthrough.let_go();
        assert_eq!(world.device.open.lock().len(), open);
    }
    world.passthrough.let_go();
    assert_eq!((world.device.open.lock().len(), world.observer.gauge(Gauge::BackingParked)), (0, 0));
    assert!(files.iter().all(|io| io.lock().fd().is_none()));
}

#[test]
fn handles_that_come_take_the_room_of_parked_files() {
    let world = parking_world(1000, 1000, 480);
    let files: Vec<_> = (0..300).map(|_| shared_io()).collect();
    for io in &files {
        world.passthrough.join(io, &fd(), 1);
        world.passthrough.leave(io, true);
    }
    assert_eq!(world.observer.gauge(Gauge::BackingParked), 300);
    let _handles = world.handles.take(1, 200).unwrap();
    let another = shared_io();
    world.passthrough.join(&another, &fd(), 1);
    let parked = world.observer.gauge(Gauge::BackingParked);
    assert!((60..=80).contains(&parked), "{parked} are parked beside 400 descriptors");
    world.passthrough.keep_warm(false);
    world.passthrough.let_go();
    assert_eq!(world.observer.gauge(Gauge::BackingParked), 0);
}

#[test]
fn a_parked_file_that_is_used_stays() {
    let world = parking_world(10, 10, 100);
    let io = shared_io();
    for _ in 0..20 {
        world.passthrough.join(&io, &fd(), 1);
        world.passthrough.let_go();
        world.passthrough.leave(&io, true);
        world.passthrough.let_go();
    }
    assert_eq!(world.observer.counter(Counter::BackingRegistered), 1);
}

#[test]
fn a_file_that_is_gone_leaves_nothing() {
    let world = parking_world(10, 10, 100);
    let io = shared_io();
    world.passthrough.join(&io, &fd(), 1);
    world.passthrough.leave(&io, true);
    drop(io);
    assert_eq!((world.device.open.lock().len(), world.observer.gauge(Gauge::BackingParked)), (0, 0));
    world.passthrough.let_go();
}

#[test]
fn opens_that_race_share_one_backing_file_or_none() {
    let world = &parking_world(1000, 1000, 8);
    let files: Vec<_> = (0..24).map(|_| shared_io()).collect();
    std::thread::scope(|scope| {
        for seed in 0..4_usize {
            let files = &files;
            scope.spawn(move || {
                for round in 0..2000 {
                    let io = &files[(seed * 7 + round * 5) % files.len()];
                    let mode = world.passthrough.join(io, &fd(), 1);
                    assert!(id(&mode).is_some());
                    drop(mode);
                    world.passthrough.leave(io, round % 11 != 0);
                    if round % 97 == 0 {
                        world.passthrough.let_go();
                    }
                }
            });
        }
    });
    assert_eq!(world.observer.gauge(Gauge::BackingFiles), 0);
    let parked = world.device.open.lock().len();
    assert_eq!(world.observer.gauge(Gauge::BackingParked), i64::try_from(parked).unwrap());
    drop(files);
    assert_eq!((world.device.open.lock().len(), world.observer.gauge(Gauge::BackingParked)), (0, 0));
}

/// A kernel with the legacy interface: numbers that nobody closes.
#[derive(Debug, Default)]
struct OneShot {
    next: Mutex<u32>,
    fail: Mutex<bool>,
}

impl BackingDevice for OneShot {
    fn open(&self, _file: BorrowedFd<'_>) -> Result<u32, Errno> {
        if *self.fail.lock() {
            return Err(Errno::EINVAL);
        }
        let mut next = self.next.lock();
        *next += 1;
        Ok(*next)
    }

    fn close(&self, _id: u32) -> Result<(), Errno> {
        Ok(())
    }

    fn interface(&self) -> Interface {
        Interface::Legacy
    }
}

#[test]
fn a_legacy_kernel_gets_a_number_for_each_open_and_nothing_is_parked() {
    let world = parking_world(100, 100, 32);
    let device = Arc::new(OneShot::default());
    world.passthrough.enable(Arc::clone(&device) as Arc<dyn BackingDevice>);
    assert!(world.passthrough.is_one_shot());
    assert_eq!(world.passthrough.describe(), "legacy");
    let (io, lower) = (Arc::new(Mutex::new(IoState::default())), fd());
    let mut numbers = Vec::new();
    for _ in 0..3 {
        match world.passthrough.join_once(&io, &lower, Some(fd()), 1) {
            IoMode::Kernel(registered) => numbers.push(registered.id()),
            IoMode::Daemon => panic!("served by the daemon"),
        }
    }
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(world.observer.counter(Counter::BackingReused), 0);
    for _ in 0..3 {
        world.passthrough.leave(&io, true);
    }
    assert!(io.lock().fd().is_none(), "nothing is kept");
    assert_eq!(world.observer.gauge(Gauge::BackingFiles), 0);
    assert_eq!(world.observer.gauge(Gauge::BackingParked), 0);
}

#[test]
fn on_a_legacy_kernel_the_first_open_decides_for_all() {
    let world = world(100, 100);
    let device = Arc::new(OneShot::default());
    world.passthrough.enable(Arc::clone(&device) as Arc<dyn BackingDevice>);
    let (io, lower) = (Arc::new(Mutex::new(IoState::default())), fd());
    *device.fail.lock() = true;
    assert!(matches!(world.passthrough.join_once(&io, &lower, Some(fd()), 1), IoMode::Daemon));
    *device.fail.lock() = false;
    assert!(matches!(world.passthrough.join_once(&io, &lower, Some(fd()), 1), IoMode::Daemon));
    assert_eq!(world.observer.counter(Counter::DaemonMode), 1);
    (0..2).for_each(|_| world.passthrough.leave(&io, true));
    assert!(matches!(world.passthrough.join_once(&io, &lower, Some(fd()), 1), IoMode::Kernel(_)));
    // What could not be opened as the app is to have it.
    let other = Mutex::new(IoState::default());
    assert!(matches!(world.passthrough.join_once(&other, &lower, None, 1), IoMode::Daemon));
}
