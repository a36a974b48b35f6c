//! Who may call what.
//!
//! The one identity looked at is the uid that the kernel vouches for: the sender of a binder transaction, or
//! `SO_PEERCRED` of a Unix socket, which is the uid the peer had when it connected. Anything else is nobody.

use super::platform::{self, Status};
use crate::control::Control;

/// What a method asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// To change or see everything.
    Administer,
    /// To ask about this uid.
    AboutSelf(u32),
    /// To see the state of everything: administrators, and over kernel binder the shell of a device, from which `dumpsys` is
    /// run. On a socket its uid is anybody's.
    Dump,
}

/// `AID_SHELL` (android_filesystem_config.h).
const SHELL: u32 = 2000;

/// A caller who has been let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Authorised {
    /// Its uid.
    pub(super) uid: u32,
    /// Whether it is an administrator.
    pub(super) admin: bool,
}

/// The caller of the call being handled, if it has `right`.
pub(super) fn require(control: &dyn Control, right: Right) -> Result<Authorised, Status> {
    let caller = caller(control)?;
    check(caller, right, platform::can_be_called()).map_err(denied)?;
    Ok(caller)
}

/// The caller of the call being handled, if it may ask about `uid` as it came. One that is negative is nobody's: only an
/// administrator gets to hear that it makes no sense.
pub(super) fn require_about(control: &dyn Control, uid: i32) -> Result<Authorised, Status> {
    require(control, u32::try_from(uid).map_or(Right::Administer, Right::AboutSelf))
}

/// The caller of the call being handled, whoever it is.
pub(super) fn caller(control: &dyn Control) -> Result<Authorised, Status> {
    let uid = platform::calling_uid().ok_or_else(|| {
        denied(
            "the system does not say who is calling; connect over a Unix socket or kernel binder".to_owned(),
        )
    })?;
    Ok(Authorised { uid, admin: is_admin(control, uid) })
}

/// Whether `uid` is an administrator's.
pub(super) fn is_admin(control: &dyn Control, uid: u32) -> bool {
    control.admin_uids().contains(&uid)
}

fn check(caller: Authorised, right: Right, by_driver: bool) -> Result<(), String> {
    let Authorised { uid, admin } = caller;
    if admin {
        return Ok(());
    }
    match right {
        Right::AboutSelf(about) if about == uid => Ok(()),
        Right::AboutSelf(about) => Err(format!(
            "uid {uid} may ask about itself only, not about uid {about}; ask as an administrator"
        )),
        Right::Dump if uid == SHELL && by_driver => Ok(()),
        Right::Administer | Right::Dump => Err(format!(
            "uid {uid} may not administer mediagate; call as root, or add the uid to service.admin_uids in its configuration"
        )),
    }
}

fn denied(message: String) -> Status {
    platform::denied(&message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn administrators_may_do_everything() {
        let root = Authorised { uid: 0, admin: true };
        assert!(check(root, Right::Administer, true).is_ok());
        assert!(check(root, Right::AboutSelf(10_101), true).is_ok());
    }

    #[test]
    fn others_may_ask_about_themselves_only() {
        let app = Authorised { uid: 10_101, admin: false };
        assert!(check(app, Right::AboutSelf(10_101), true).is_ok());
        assert!(check(app, Right::AboutSelf(10_102), true).unwrap_err().contains("10102"));
        assert!(check(app, Right::Administer, true).unwrap_err().contains("admin_uids"));
    }

    #[test]
    fn the_shell_of_a_device_may_see_the_state_and_change_nothing() {
        let shell = Authorised { uid: SHELL, admin: false };
        assert!(check(shell, Right::Dump, true).is_ok());
        assert!(check(shell, Right::Dump, false).is_err(), "on a socket it may be anybody");
        assert!(check(shell, Right::Administer, true).is_err());
        assert!(check(Authorised { uid: 10_101, admin: false }, Right::Dump, true).is_err());
    }
}
