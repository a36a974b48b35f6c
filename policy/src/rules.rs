//! The pipeline: from facts to a decision.

use crate::decision::{Decision, Errno, Reason};
use crate::object::Object;
use crate::operation::Operation;
use crate::principal::Principal;

/// Decides whether `who` may do `op` on `what`.
pub fn decide(_who: &Principal, _what: &Object<'_>, _op: Operation<'_>) -> Decision {
    Decision::deny(Reason::Root, Errno::Eacces)
}
