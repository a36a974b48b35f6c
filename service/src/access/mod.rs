//! The one place where the policy engine is asked: joins who is calling with what is known about the object.
//!
//! What a caller may do depends on its permissions and on its grants, which change on their own. [`Access::who`] takes
//! both as they were at one moment, so that no decision is made from a pair that never was.

mod grants;
mod matrix;
mod subject;

use std::ops::Deref;
use std::sync::Arc;

use mediagate_policy::{
    Decision, Errno, FileGrants, Filter, Grant as Allowed, Object, Operation, PackageFacts, Principal,
    Profiles, Question, decide, listing_filter,
};

use crate::identity::{Identity, Mix};
use crate::observe::{Counter, Observer};

pub use grants::{FileId, Grant, GrantError, GrantKind, Grants, Holdings, Meant, NewGrant, now};
pub use matrix::{Caller, Cell, Matrix, MatrixRow, Named, Rule, Thing, matrix};
pub use mediagate_policy::{is_hidden_by_name, nomedia_counts_in};
pub use subject::{RowFacts, Subject};

/// A change takes at least a write to the catalog: so often in a row nobody can be overtaken by one.
const ATTEMPTS: usize = 64;

/// A caller with what it holds, as of one moment.
#[derive(Clone, Debug)]
pub struct Who {
    principal: Arc<Principal>,
    holdings: Holdings,
}

impl Who {
    /// What is known of something, for a decision about this caller.
    pub fn object<'a>(&self, what: &'a Subject) -> Object<'a> {
        what.object_with(|file| self.holdings.on(file))
    }

    /// Whether single files were given to it.
    pub fn holds_grants(&self) -> bool {
        !self.holdings.is_empty()
    }
}

impl Deref for Who {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.principal
    }
}

/// A caller as of one moment, and what it is made of, for saying what else would let it.
#[derive(Clone, Debug)]
pub struct Described {
    who: Who,
    /// Its packages; the first is "the caller's package".
    pub packages: Vec<PackageFacts>,
    profiles: Arc<Profiles>,
}

impl Described {
    /// A question about this caller.
    pub fn question<'a>(&'a self, what: Object<'a>, op: Operation<'a>) -> Question<'a> {
        Question { uid: self.who.uid, packages: &self.packages, profiles: &self.profiles, what, op }
    }
}

impl Deref for Described {
    type Target = Who;

    fn deref(&self) -> &Who {
        &self.who
    }
}

/// Asks the policy, and counts what it says.
#[derive(Debug)]
pub struct Access {
    identity: Arc<Identity>,
    grants: Arc<Grants>,
    observer: Arc<Observer>,
}

impl Access {
    /// Decides about the callers that `identity` knows.
    pub fn new(identity: Arc<Identity>, grants: Arc<Grants>, observer: Arc<Observer>) -> Access {
        Access { identity, grants, observer }
    }

    /// The caller behind a uid, as of now: what was revoked before this call is not in it.
    pub fn who(&self, uid: u32) -> Who {
        for _ in 0..ATTEMPTS {
            let epoch = self.identity.epoch();
            let principal = self.identity.principal(uid);
            let holdings = self.grants.of(&principal.packages, principal.user().0);
            if self.identity.epoch() == epoch {
                return Who { principal, holdings };
            }
        }
        // Without grants it may do less than at any moment so far, never more.
        Who { principal: self.identity.principal(uid), holdings: Holdings::default() }
    }

    /// See [`Identity::epoch`].
    pub fn epoch(&self) -> u64 {
        self.identity.epoch()
    }

    /// [`Access::who`], with what the caller is made of.
    pub fn describe(&self, uid: u32) -> Described {
        loop {
            let who = self.who(uid);
            let (principal, packages, profiles) = self.identity.describe(uid);
            if *principal == *who.principal {
                return Described { who, packages, profiles };
            }
        }
    }

    /// See [`Identity::mix`].
    pub fn mix(&self) -> Mix {
        self.identity.mix()
    }

    /// The grants on single files.
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// The decision, uncounted: for `explain`.
    pub fn explain(&self, who: &Who, what: &Subject, op: Operation<'_>) -> Decision {
        decide(who, &who.object(what), op)
    }

    /// The grant, or the errno to refuse with.
    pub fn check(&self, who: &Who, what: &Subject, op: Operation<'_>) -> Result<Allowed, Errno> {
        self.observer.count(Counter::Decisions);
        let decision = decide(who, &who.object(what), op);
        decision.grant().inspect_err(|_| self.observer.count_denial(decision.reason.rule()))
    }

    /// What a caller sees of the indexed files in and below a directory.
    pub fn listing(&self, who: &Who, dir: &Subject) -> Filter {
        self.observer.count(Counter::Decisions);
        listing_filter(who, &who.object(dir))
    }

    /// Whether the caller could read a file if that were granted to it.
    pub fn reads_if_granted(&self, who: &Who, what: &Subject) -> bool {
        decide(who, &what.object_with(|_| FileGrants::READ), Operation::OpenRead).grant().is_ok()
    }

    /// Whether something is shown: like [`Access::check`], but a no is no refusal that anybody asked for.
    pub fn shows(&self, who: &Who, what: &Subject, op: Operation<'_>) -> bool {
        self.observer.count(Counter::Decisions);
        decide(who, &who.object(what), op).grant().is_ok()
    }
}
