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
    observer: Arc<Observer>,
}

fn world(total: u32, per_uid: u32) -> World {
    let observer = Arc::new(Observer::default());
    let budget = Budget::new(Limits { total, per_uid }, Gauge::BackingFiles, Arc::clone(&observer));
    let passthrough = Passthrough::new(budget, Arc::clone(&observer));
    let device = Arc::new(Device::default());
    passthrough.enable(Arc::clone(&device) as Arc<dyn BackingDevice>);
    World { passthrough, device, observer }
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
    drop(io.lock().leave());
    assert_eq!((world.device.open.lock().len(), world.observer.gauge(Gauge::BackingFiles)), (1, 1));
    let last = io.lock().leave();
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
    drop(io.lock().leave());
    drop(io.lock().leave());
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
        let left = io.lock().leave();
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
            let left = io.lock().leave();
            drop(left);
        }
        assert!(world.device.open.lock().is_empty());
    }
    assert_eq!(world.observer.gauge(Gauge::BackingFiles), 0);
}
