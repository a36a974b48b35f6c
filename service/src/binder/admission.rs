//! How many calls may read an object of their client at a time.
//!
//! Whoever reads an object that it has not met on kernel binder asks that object's process what it is, and waits for the answer
//! without a limit (rsbinder's `ProcessState`, as libbinder's `BpBinder::getInterfaceDescriptor`). The generated code reads a
//! call's arguments before any method of ours runs. So a client that never answers would hold a thread for each of its calls, and
//! a few of them all that there are: here a few are let in, and the others refused, before anything of the call is read.
//!
//! On a socket nobody is asked, and each connection has a thread of its own: there everybody is let in.
//!
//! Lock: `inside`, for bookkeeping.

use std::sync::Arc;

use mediagate_aidl as aidl;
use parking_lot::Mutex;
use rsbinder::{Binder, Parcel, Remotable, TransactionCode};

use super::service::status;
use crate::control::ControlError;

/// Such calls at a time: half of the threads that rsbinder starts (15, as libbinder's `DEFAULT_MAX_BINDER_THREADS`).
const IN_ALL: usize = 8;
/// Such calls at a time of one uid.
const PER_UID: usize = 2;

/// Who is inside.
#[derive(Debug, Default)]
struct Gate {
    inside: Mutex<Vec<u32>>,
}

/// One that is inside; it leaves when dropped.
#[derive(Debug)]
struct Pass<'a> {
    gate: &'a Gate,
    uid: u32,
}

impl Gate {
    fn enter(&self, uid: u32) -> Option<Pass<'_>> {
        let mut inside = self.inside.lock();
        if inside.len() >= IN_ALL || inside.iter().filter(|it| **it == uid).count() >= PER_UID {
            return None;
        }
        inside.push(uid);
        Some(Pass { gate: self, uid })
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut inside = self.gate.inside.lock();
        if let Some(at) = inside.iter().position(|it| *it == self.uid) {
            inside.swap_remove(at);
        }
    }
}

/// The store behind the gate.
pub(super) struct Admitting {
    store: Binder<aidl::BnMediaStore>,
    gate: Arc<Gate>,
    /// Who calls by the driver, if the call came that way.
    caller: fn() -> Option<u32>,
}

impl Admitting {
    pub(super) fn new(store: Binder<aidl::BnMediaStore>, caller: fn() -> Option<u32>) -> Self {
        Admitting { store, gate: Arc::default(), caller }
    }
}

impl Remotable for Admitting {
    fn descriptor() -> &'static str {
        aidl::BnMediaStore::descriptor()
    }

    fn on_transact(
        &self,
        code: TransactionCode,
        reader: &mut Parcel,
        reply: &mut Parcel,
    ) -> rsbinder::Result<()> {
        let asking = (self.caller)().filter(|_| aidl::WITH_OBSERVER.contains(&code));
        let pass = asking.map(|uid| (uid, self.gate.enter(uid)));
        if let Some((uid, None)) = pass {
            return reply.write(&status(ControlError::Failed(format!(
                "too many calls of uid {uid}, or of all, are at it with observers; try again when one is over"
            ))));
        }
        self.store.on_transact(code, reader, reply)
    }

    fn transaction_name(code: TransactionCode) -> Option<&'static str> {
        aidl::BnMediaStore::transaction_name(code)
    }

    fn on_dump(&self, writer: &mut dyn std::io::Write, arguments: &[String]) -> rsbinder::Result<()> {
        self.store.on_dump(writer, arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_let_in_and_fewer_of_one_uid() {
        let gate = Gate::default();
        let mut inside: Vec<_> = (0..PER_UID).map(|_| gate.enter(1).unwrap()).collect();
        assert!(gate.enter(1).is_none());
        for uid in 2..=5 {
            inside.extend((0..PER_UID).filter_map(|_| gate.enter(uid)));
        }
        assert_eq!(inside.len(), IN_ALL);
        assert!(gate.enter(9).is_none());
        inside.remove(0);
        assert!(gate.enter(9).is_some());
        assert!(gate.enter(1).is_some(), "who came out may come in");
    }
}
