//! The pipeline: from facts to a decision.
//!
//! The order of the rules is that of [`everyone::RULES`], then of [`gate::RULES`], and then of the lines in the operation's
//! family: the first rule that has an opinion decides. It is the order of the original (mediaprovider.md §2.5).
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

/// A rule: what it says of a case, if it is about it.
type Rule = fn(&Case<'_>, Operation<'_>) -> Option<Decision>;

/// Decides whether `who` may do `op` on `what`.
pub fn decide(who: &Principal, what: &Object<'_>, op: Operation<'_>) -> Decision {
    let case = Case::new(who, what);
    before_the_family(&case, op).unwrap_or_else(|| by_operation(&case, op))
}

/// What the rules say that hold whatever family the operation is of.
fn before_the_family(case: &Case<'_>, op: Operation<'_>) -> Option<Decision> {
    everyone::RULES.iter().chain(gate::RULES).find_map(|rule| rule(case, op))
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
