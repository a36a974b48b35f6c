//! The calls that are being handled, for `dump`: one that is stuck shows.
//!
//! rsbinder tells of each call that reaches an object of this process, by whichever transport.
//!
//! Lock: [`CALLS`], for bookkeeping.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rsbinder::observe::{TransactionObserver, TxnContext, set_observer};

/// In the order they came.
static CALLS: Mutex<Calls> = Mutex::new(Calls { next: 0, all: BTreeMap::new() });

struct Calls {
    next: u64,
    all: BTreeMap<u64, Call>,
}

/// A call that is being handled.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Interface and method.
    pub(super) what: String,
    pub(super) uid: u32,
    pub(super) since: Instant,
}

struct Listener;

impl TransactionObserver for Listener {
    fn on_transact(&self, call: &TxnContext<'_>) -> Option<Box<dyn Any + Send>> {
        let method = call.method.map_or_else(|| format!("code {}", call.code), str::to_owned);
        let what = format!("{}.{method}", call.descriptor.rsplit('.').next().unwrap_or_default());
        let mut calls = CALLS.lock();
        let number = calls.next;
        calls.next += 1;
        calls.all.insert(number, Call { what, uid: call.calling_uid, since: Instant::now() });
        Some(Box::new(number))
    }

    fn on_reply(
        &self,
        _: &TxnContext<'_>,
        number: Option<Box<dyn Any + Send>>,
        _: &rsbinder::Result<()>,
        _: Duration,
    ) {
        if let Some(number) = number.and_then(|it| it.downcast::<u64>().ok()) {
            CALLS.lock().all.remove(&number);
        }
    }
}

/// Begins to note calls.
pub(super) fn begin() {
    set_observer(Some(Arc::new(Listener)));
}

/// The calls that are being handled, oldest first.
pub(super) fn calls() -> Vec<Call> {
    CALLS.lock().all.values().cloned().collect()
}
