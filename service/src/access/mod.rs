//! The one place where the policy engine is asked: joins who is calling with what is known about the object.

mod matrix;
mod subject;

use std::sync::Arc;

use mediagate_policy::{Decision, Errno, Grant, Object, Operation, Principal, decide};

use crate::identity::Identity;
use crate::observe::{Counter, Observer};

pub use matrix::{Caller, Cell, Matrix, MatrixRow, Named, Rule, Thing, matrix};
pub use mediagate_policy::{is_hidden_by_name, nomedia_counts_in};
pub use subject::{RowFacts, Subject};

/// Asks the policy, and counts what it says.
#[derive(Debug)]
pub struct Access {
    identity: Arc<Identity>,
    observer: Arc<Observer>,
}

impl Access {
    /// Decides about the callers that `identity` knows.
    pub fn new(identity: Arc<Identity>, observer: Arc<Observer>) -> Access {
        Access { identity, observer }
    }

    /// The caller behind a uid, as of now: a permission that was revoked before this call is not in it.
    pub fn principal(&self, uid: u32) -> Arc<Principal> {
        self.identity.principal(uid)
    }

    /// The decision, uncounted: for `explain`.
    pub fn explain(&self, who: &Principal, what: &Object<'_>, op: Operation<'_>) -> Decision {
        decide(who, what, op)
    }

    /// The grant, or the errno to refuse with.
    pub fn check(&self, who: &Principal, what: &Object<'_>, op: Operation<'_>) -> Result<Grant, Errno> {
        self.observer.count(Counter::Decisions);
        let decision = decide(who, what, op);
        decision.grant().inspect_err(|_| self.observer.count_denial(decision.reason.rule()))
    }

    /// Whether something is shown: like [`Access::check`], but a no is no refusal that anybody asked for.
    pub fn shows(&self, who: &Principal, what: &Object<'_>, op: Operation<'_>) -> bool {
        self.observer.count(Counter::Decisions);
        decide(who, what, op).grant().is_ok()
    }
}
