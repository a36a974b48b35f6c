//! Whatever a refusal is said to need is enough, in a world that has it: made by other means than the crate's own.

use mediagate_policy::{
    Decision, FileGrants, Need, OpMode, Operation, PackageFacts, Principal, Question, decide,
};
use proptest::prelude::*;

use crate::world::{CallerSpec, ThingSpec, caller, profiles, thing};
use crate::{cases, operations};

/// What is asked of a thing, and with which other one.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Plain(Operation<'static>),
    Rename { replaces: bool },
}

fn with_op<T>(thing: &ThingSpec, to: &ThingSpec, ask: Ask, then: impl FnOnce(Operation<'_>) -> T) -> T {
    match ask {
        Ask::Plain(op) => then(op),
        Ask::Rename { replaces } => {
            let name = mediagate_policy::Object { kind: thing.object().kind, ..to.name() };
            then(Operation::Rename { to: name, replaced: replaces.then(|| to.object()) })
        }
    }
}

fn answer(who: &Principal, thing: &ThingSpec, to: &ThingSpec, ask: Ask) -> Decision {
    with_op(thing, to, ask, |op| decide(who, &thing.object(), op))
}

/// The answer with the need met.
fn with(need: &Need, caller: &CallerSpec, thing: &ThingSpec, to: &ThingSpec, ask: Ask) -> Decision {
    let mut with = caller.clone();
    match need {
        Need::Permission(permission) => with.permissions.insert(*permission),
        Need::AppOp(op) => with.app_ops.set(*op, OpMode::Allow),
        Need::OfUser(user) => with = caller.of_user(*user),
        Need::PackageNamed(name) => with = caller.named(name),
        Need::Installed => with = caller.as_installed(),
        _ => {}
    }
    let who = with.principal();
    match need {
        Need::Grant(grant) => answer(&who, &thing.with_grant(*grant), to, ask),
        Need::GrantOnReplaced => answer(&who, thing, &to.with_grant(FileGrants::WRITE), ask),
        Need::Ownership => answer(&who, &thing.own(), to, ask),
        Need::OwnershipOfReplaced => answer(&who, thing, &to.own(), ask),
        Need::Indexed => answer(&who, &thing.scanned(), to, ask),
        Need::Published => answer(&who, &thing.published(), to, ask),
        Need::RowGone => answer(&who, &thing.nothing_at(&thing.path), to, ask),
        Need::Path(path) => match ask {
            Ask::Plain(_) => answer(&who, &thing.nothing_at(path), to, ask),
            Ask::Rename { .. } => answer(&who, thing, &to.nothing_at(path), Ask::Rename { replaces: false }),
        },
        Need::Copy => {
            let new = mediagate_policy::Object { kind: thing.object().kind, ..to.name() };
            let create = decide(&who, &new, Operation::Create);
            let read = decide(&who, &thing.object(), Operation::OpenRead);
            let unlink = decide(&who, &thing.object(), Operation::Unlink);
            [read, unlink].into_iter().find(|it| !it.is_allowed()).unwrap_or(create)
        }
        _ => answer(&who, thing, to, ask),
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn what_a_refusal_needs_is_enough(caller in caller(), thing in thing(), to in thing()) {
        let (packages, profiles): (Vec<PackageFacts>, _) = (caller.packages(), profiles());
        let plain = operations().into_iter().map(Ask::Plain);
        let renames = [Ask::Rename { replaces: false }, Ask::Rename { replaces: true }];
        for ask in plain.chain(renames) {
            let (decision, needs) = with_op(&thing, &to, ask, |op| {
                let what = thing.object();
                let question = Question { uid: caller.uid(), packages: &packages, profiles: &profiles, what, op };
                (question.answer(), question.needs())
            });
            prop_assert_eq!(decision, answer(&caller.principal(), &thing, &to, ask));
            prop_assert!(needs.is_empty() || !decision.is_allowed());
            for need in &needs {
                let then = with(need, &caller, &thing, &to, ask);
                prop_assert!(then.is_allowed(), "{ask:?} needs {need:?}: {decision:?} became {then:?}");
            }
        }
    }
}
