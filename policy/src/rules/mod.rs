//! The pipeline: from facts to a decision.
//!
//! The order of the rules is the order of the calls in [`decide`], and then of the lines in the family's
//! function: the first rule that has an opinion decides. It is the order of the original (mediaprovider.md §2.5).
//! Whatever no rule allows is refused.

mod case;
mod create;
mod delete;
mod directory;
mod everyone;
mod filter;
mod gate;
mod list;
mod misc;
mod open;
mod rename;
pub(crate) mod rights;

use case::Case;
pub(crate) use filter::listing_filter;

use crate::decision::Decision;
use crate::object::Object;
use crate::operation::Operation;
use crate::principal::Principal;

/// Decides whether `who` may do `op` on `what`.
pub fn decide(who: &Principal, what: &Object<'_>, op: Operation<'_>) -> Decision {
    let case = Case::new(who, what);
    everyone::decide(&case, op).or_else(|| gate::decide(&case, op)).unwrap_or_else(|| by_operation(&case, op))
}

/// An app, or the shell where it does not bypass everything, on a path that is open to it.
fn by_operation(case: &Case<'_>, op: Operation<'_>) -> Decision {
    match op {
        Operation::Lookup | Operation::GetAttr => misc::visible(case),
        Operation::Access(mask) => misc::access(case, mask),
        Operation::OpenRead => open::read(case),
        Operation::OpenWrite => open::write(case),
        Operation::SetAttr => misc::set_attr(case),
        Operation::Create => create::create(case),
        Operation::MakeDir => directory::make(case),
        Operation::RemoveDir => directory::remove(case),
        Operation::OpenDir => directory::open(case),
        Operation::ListEntry => list::entry(case),
        Operation::Unlink => delete::unlink(case),
        Operation::Rename { to, replaced } => {
            let replaced = replaced.as_ref().map(|it| case.of_same_caller(it));
            rename::rename(case, &case.of_same_caller(&to), replaced.as_ref())
        }
        Operation::MoveWithParent { to } => rename::move_along(case, &case.of_same_caller(&to)),
        Operation::Symlink | Operation::Link | Operation::Xattr => misc::no_rule(),
    }
}

#[cfg(test)]
mod tests;
