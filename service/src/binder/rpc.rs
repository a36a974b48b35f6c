//! Serving RPC sessions on a listening Unix socket.
//!
//! rsbinder's own accept loop has one bound for all clients and lets the excess wait in the backlog, so one app with
//! many connections would shut everybody else out. Here each uid has its own share. A connection past the share
//! pushes out another one of the same uid, never one of somebody else; past the bound for all apps, the uid with the
//! most connections loses one. The first to go is the oldest that has not shaken hands, then the oldest. A connection
//! that says nothing for [`IDLE`], or takes no bytes for [`SEND`], ends.
//!
//! No app may hold off its own revocation. All clients wait in one backlog, in the order they came (unix(7)), so the
//! accept loop must empty it faster than an app that connects in a loop can make the others wait: whose the
//! connection is comes first (`SO_PEERCRED`), and who connects too often ([`Rates`]) is hung up on before
//! anything else is spent on it. Administrators have no rate and do not count toward the apps' bound. And since an
//! app with many threads connects faster than one thread can refuse, root has a socket of its own
//! (`server::FOR_OWNER`), with an accept loop and a table of its own.
//! The backlog is as long as the system allows (`net.core.somaxconn`), which is what std asks for.
//!
//! The root object of a session is the service itself, as with AOSP's `ARpcSession`: one socket, one service.
//!
//! Lock: [`Table`]'s, around bookkeeping and non-blocking `shutdown(2)`s.

use std::collections::HashMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt};
use parking_lot::{Condvar, Mutex};
use rsbinder::SIBinder;
use rsbinder::rpc::transport::UnixTransport;
use rsbinder::rpc::{RpcSession, RpcTransport as _};

use super::authz;
use super::bounded::Bounded;
use super::rate::Rates;
use crate::control::Control;

/// The newest version of the RPC wire we speak: android-16. A client with an older one negotiates down to android-13.
pub(super) const WIRE_VERSION: u32 = 2;

/// Connections of one uid.
pub(super) const PER_UID: usize = 32;
/// Connections of all apps.
const IN_ALL: usize = 512;
/// Connections accepted between two looks at whether to stop.
const BATCH: usize = 64;
/// How long a client may be silent, before and between its calls.
const IDLE: Duration = Duration::from_secs(60);
/// How long a client may take no bytes of an answer.
const SEND: Duration = Duration::from_secs(10);
/// How long stopping waits for calls that are being handled.
const DRAIN: Duration = Duration::from_secs(5);
/// Pause after `accept` ran out of descriptors or memory; sessions that end give some back.
const BACKOFF: Duration = Duration::from_millis(50);

/// A running accept loop and its sessions; dropping it ends them.
#[derive(Debug)]
pub(super) struct Listener {
    table: Arc<Table>,
    wake: UnixStream,
    acceptor: Option<JoinHandle<()>>,
}

impl Listener {
    /// Serves `root` on every connection that `socket` gets; `control` says whose are administrators'.
    pub(super) fn start(
        socket: UnixListener,
        root: SIBinder,
        control: Arc<dyn Control>,
    ) -> std::io::Result<Self> {
        socket.set_nonblocking(true)?;
        let (wake, stop) = UnixStream::pair()?;
        let table = Arc::new(Table::default());
        let mut door = Door { table: Arc::clone(&table), rates: Rates::default(), root, control };
        let acceptor = std::thread::Builder::new()
            .name("binder-accept".to_owned())
            .spawn(move || accept_loop(&socket, &stop, &mut door))?;
        Ok(Listener { table, wake, acceptor: Some(acceptor) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // An error means that the loop is gone, which is what this asks for.
        let _ = self.wake.write_all(b"x");
        if let Some(acceptor) = self.acceptor.take()
            && acceptor.join().is_err()
        {
            log::error!("the accept loop of the binder socket panicked");
        }
        self.table.close();
    }
}

fn accept_loop(socket: &UnixListener, mut stop: &UnixStream, door: &mut Door) {
    loop {
        let mut fds =
            [PollFd::new(socket.as_fd(), PollFlags::POLLIN), PollFd::new(stop.as_fd(), PollFlags::POLLIN)];
        if let Err(errno) = poll(&mut fds, PollTimeout::NONE)
            && errno != nix::errno::Errno::EINTR
        {
            log::error!("cannot wait for clients of the binder socket: {errno}");
            std::thread::sleep(BACKOFF);
        }
        if fds[1].any() == Some(true) {
            let _ = stop.read(&mut [0]);
            return;
        }
        for _ in 0..BATCH {
            match socket.accept() {
                Ok((stream, _)) => door.admit(stream),
                Err(e) if matches!(e.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => {
                    log::warn!("cannot accept a client of the binder socket: {e}");
                    std::thread::sleep(BACKOFF);
                    break;
                }
            }
        }
    }
}

/// Who gets in, and to what.
struct Door {
    table: Arc<Table>,
    rates: Rates,
    root: SIBinder,
    control: Arc<dyn Control>,
}

impl Door {
    /// Gives a connection its thread. Whatever goes wrong ends this connection and no other.
    fn admit(&mut self, stream: UnixStream) {
        let uid = match getsockopt(&stream, sockopt::PeerCredentials) {
            Ok(peer) => peer.uid(),
            Err(e) => return log::debug!("a client of the binder socket has no uid: {e}"),
        };
        let admin = authz::is_admin(&*self.control, uid);
        if !admin && !self.rates.take(uid, Instant::now()) {
            return log::debug!("uid {uid} refused: it connects too often");
        }
        let shutdown = match stream.try_clone() {
            Ok(shutdown) => shutdown,
            Err(e) => return log::warn!("cannot serve a client of the binder socket: {e}"),
        };
        let Some(place) = Table::enter(&self.table, uid, admin, shutdown) else {
            return log::debug!("uid {uid} refused: too many connections are still ending");
        };
        let transport = match UnixTransport::from_stream(stream) {
            Ok(transport) => transport,
            Err(e) => return log::debug!("a client of the binder socket was gone at once: {e}"),
        };
        let root = self.root.clone();
        let spawned = std::thread::Builder::new().name("binder-rpc".to_owned()).spawn(move || {
            if let Err(why) = serve_connection(transport, root, &place, admin) {
                log::debug!("uid {uid}: no RPC session: {why:?}");
            }
            drop(place);
        });
        if let Err(e) = spawned {
            log::warn!("cannot start a thread for a client of the binder socket: {e}");
        }
    }
}

/// Handshake, then calls until either end has enough.
fn serve_connection(
    transport: UnixTransport,
    root: SIBinder,
    place: &Place,
    admin: bool,
) -> rsbinder::Result<()> {
    transport.set_read_timeout(Some(IDLE))?;
    transport.set_write_timeout(Some(SEND))?;
    let greeted = Arc::new(AtomicBool::new(false));
    let transport = Bounded::new(transport, admin, Arc::clone(&greeted));
    let session = RpcSession::accept_android13plus_fd(Box::new(transport), WIRE_VERSION, true)?;
    greeted.store(true, Relaxed);
    place.greeted();
    session.set_timeout(Some(SEND));
    session.set_root(root)?;
    let end = session.serve_blocking();
    log::debug!("RPC session ended: {end:?}");
    Ok(())
}

/// The connections there are.
#[derive(Debug, Default)]
struct Table {
    inner: Mutex<Entries>,
    left: Condvar,
}

#[derive(Debug, Default)]
struct Entries {
    /// In the order they came.
    list: Vec<Entry>,
    next_id: u64,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    uid: u32,
    admin: bool,
    stream: UnixStream,
    /// Has shaken hands, so a client of ours.
    greeted: bool,
    /// Shut down; its thread is on its way out.
    ending: bool,
}

/// A connection's place in the table, given back when dropped.
#[derive(Debug)]
struct Place {
    table: Arc<Table>,
    id: u64,
}

impl Place {
    /// Remembers that the client has shaken hands.
    fn greeted(&self) {
        let mut entries = self.table.inner.lock();
        if let Some(entry) = entries.list.iter_mut().find(|entry| entry.id == self.id) {
            entry.greeted = true;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut entries = self.table.inner.lock();
        entries.list.retain(|entry| entry.id != self.id);
        self.table.left.notify_all();
    }
}

impl Table {
    /// A place for one more connection of `uid`. `None` when twice the bound are ending and none has ended yet; apps
    /// and administrators have a bound of the same size each.
    fn enter(table: &Arc<Table>, uid: u32, admin: bool, stream: UnixStream) -> Option<Place> {
        let mut entries = table.inner.lock();
        let alike = || entries.list.iter().filter(|entry| entry.admin == admin);
        let of_uid = alike().filter(|entry| entry.uid == uid).count();
        if alike().count() >= 2 * IN_ALL || (!admin && of_uid >= 2 * PER_UID) {
            return None;
        }
        if entries.live_of(uid) >= PER_UID {
            entries.end_one(uid);
        } else if !admin
            && alike().filter(|entry| !entry.ending).count() >= IN_ALL
            && let Some(greediest) = entries.greediest_app()
        {
            entries.end_one(greediest);
        }
        let id = entries.next_id;
        entries.next_id += 1;
        entries.list.push(Entry { id, uid, admin, stream, greeted: false, ending: false });
        Some(Place { table: Arc::clone(table), id })
    }

    /// Ends every connection and waits a bounded time for their threads.
    fn close(&self) {
        let deadline = Instant::now() + DRAIN;
        let mut entries = self.inner.lock();
        for entry in &mut entries.list {
            entry.end();
        }
        while !entries.list.is_empty() {
            if self.left.wait_until(&mut entries, deadline).timed_out() {
                log::warn!("{} calls over the binder socket are still being handled", entries.list.len());
                return;
            }
        }
    }
}

impl Entries {
    fn live_of(&self, uid: u32) -> usize {
        self.list.iter().filter(|entry| entry.uid == uid && !entry.ending).count()
    }

    fn end_one(&mut self, uid: u32) {
        let candidates = self.list.iter_mut().filter(|entry| entry.uid == uid && !entry.ending);
        if let Some(entry) = candidates.min_by_key(|entry| (entry.greeted, entry.id)) {
            entry.end();
        }
    }

    fn greediest_app(&self) -> Option<u32> {
        let mut live = HashMap::<u32, usize>::new();
        for entry in self.list.iter().filter(|entry| !entry.admin && !entry.ending) {
            *live.entry(entry.uid).or_default() += 1;
        }
        live.into_iter().max_by_key(|(_, count)| *count).map(|(uid, _)| uid)
    }
}

impl Entry {
    fn end(&mut self) {
        self.ending = true;
        // An error means that the peer is gone already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADMIN: u32 = 0;

    fn enter(table: &Arc<Table>, uid: u32) -> Option<(Place, UnixStream)> {
        let (ours, theirs) = UnixStream::pair().unwrap();
        Table::enter(table, uid, uid == ADMIN, ours).map(|place| (place, theirs))
    }

    fn ended(mut stream: &UnixStream) -> bool {
        stream.set_nonblocking(true).unwrap();
        matches!(stream.read(&mut [0]), Ok(0))
    }

    #[test]
    fn a_uid_past_its_share_loses_its_own_oldest() {
        let table = Arc::new(Table::default());
        let other = enter(&table, 2).unwrap();
        let held: Vec<_> = (0..PER_UID + 1).map(|_| enter(&table, 1).unwrap()).collect();
        assert!(ended(&held[0].1));
        assert!(!ended(&held[1].1));
        assert!(!ended(&other.1));
        drop(held);
        assert_eq!(table.inner.lock().list.len(), 1);
    }

    #[test]
    fn who_has_not_shaken_hands_goes_first() {
        let table = Arc::new(Table::default());
        let held: Vec<_> = (0..PER_UID).map(|_| enter(&table, 1).unwrap()).collect();
        held[0].0.greeted();
        let more = [enter(&table, 1).unwrap(), enter(&table, 1).unwrap()];
        let gone: Vec<bool> = held.iter().chain(&more).map(|(_, stream)| ended(stream)).collect();
        assert_eq!(gone[..4], [false, true, true, false]);
        assert_eq!(gone.iter().filter(|gone| **gone).count(), 2);
    }

    #[test]
    fn past_the_bound_the_greediest_uid_loses_one() {
        let table = Arc::new(Table::default());
        let mut held = Vec::new();
        let of_admin: Vec<_> = (0..PER_UID).map(|_| enter(&table, ADMIN).unwrap()).collect();
        for uid in 1..=(IN_ALL / PER_UID) as u32 {
            let share = if uid == 3 { PER_UID } else { PER_UID - 1 };
            held.extend((0..share).map(|_| (uid, enter(&table, uid).unwrap())));
        }
        for uid in 1000.. {
            if held.len() == IN_ALL {
                break;
            }
            held.push((uid, enter(&table, uid).unwrap()));
        }
        let late = enter(&table, 9999).unwrap();
        assert!(!ended(&late.1));
        let gone: Vec<u32> = held.iter().filter(|(_, h)| ended(&h.1)).map(|(uid, _)| *uid).collect();
        assert_eq!(gone, [3]);
        drop(enter(&table, ADMIN).unwrap());
        assert_eq!(of_admin.iter().filter(|h| ended(&h.1)).count(), 1, "an administrator pushes out its own");
        assert_eq!(held.iter().filter(|(_, h)| ended(&h.1)).count(), 1);
    }

    #[test]
    fn an_app_whose_connections_are_slow_to_end_is_refused_and_nobody_else() {
        let table = Arc::new(Table::default());
        let held: Vec<_> = (0..2 * PER_UID).map(|_| enter(&table, 1).unwrap()).collect();
        assert!(enter(&table, 1).is_none());
        assert!(enter(&table, 2).is_some());
        let of_admin: Vec<_> = (0..3 * PER_UID).map(|_| enter(&table, ADMIN).unwrap()).collect();
        drop((held, of_admin));
    }

    #[test]
    fn an_administrator_has_a_place_when_the_apps_have_none() {
        let table = Arc::new(Table::default());
        let apps = (1..).flat_map(|uid| [uid; 2 * PER_UID]).take(2 * IN_ALL);
        let held: Vec<_> = apps.map(|uid| enter(&table, uid).unwrap()).collect();
        assert!(enter(&table, 9999).is_none());
        assert!(enter(&table, ADMIN).is_some());
        drop(held);
    }

    #[test]
    fn closing_ends_all_and_waits_for_them() {
        let table = Arc::new(Table::default());
        let (place, theirs) = enter(&table, 1).unwrap();
        let waiter = std::thread::spawn(move || {
            let mut theirs = theirs;
            assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
            drop(place);
        });
        table.close();
        assert!(table.inner.lock().list.is_empty());
        waiter.join().unwrap();
    }
}
