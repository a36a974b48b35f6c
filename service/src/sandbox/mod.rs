//! What the service gives up once it runs: everything that it does not need.
//!
//! Mounting, unmounting and registering backing files need CAP_SYS_ADMIN in the initial user namespace; reading and
//! writing apps' files for them needs the capabilities over file permissions and owners; going to an app's mount namespace needs
//! CAP_SYS_CHROOT. Nothing else is kept, and nothing can come back: the bounding set is emptied of the rest and `no_new_privs`
//! is set.

use caps::{CapSet, Capability, CapsHashSet};

/// What is kept.
const KEPT: [Capability; 7] = [
    // Mounting, and FUSE_DEV_IOC_BACKING_OPEN (fs/fuse/backing.c).
    Capability::CAP_SYS_ADMIN,
    // The lower files are apps' files.
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_DAC_READ_SEARCH,
    // Setting times and attributes of files of other uids.
    Capability::CAP_FOWNER,
    // Giving new files to the volume's owner.
    Capability::CAP_CHOWN,
    Capability::CAP_FSETID,
    // Going to the mount namespace of an app that gets its private directories (fs/namespace.c, mntns_install).
    Capability::CAP_SYS_CHROOT,
];

/// Gives the rest up. Not an error for a process that has nothing to give up.
pub fn confine() -> Result<(), String> {
    let have = caps::read(None, CapSet::Permitted).map_err(|error| error.to_string())?;
    let keep: CapsHashSet = KEPT.into_iter().filter(|cap| have.contains(cap)).collect();
    if have.contains(&Capability::CAP_SETPCAP) {
        for cap in caps::all() {
            if !KEPT.contains(&cap) && caps::has_cap(None, CapSet::Bounding, cap).unwrap_or(false) {
                caps::drop(None, CapSet::Bounding, cap).map_err(|error| error.to_string())?;
            }
        }
    }
    caps::clear(None, CapSet::Ambient).map_err(|error| error.to_string())?;
    caps::clear(None, CapSet::Inheritable).map_err(|error| error.to_string())?;
    for set in [CapSet::Effective, CapSet::Permitted] {
        caps::set(None, set, &keep).map_err(|error| error.to_string())?;
    }
    nix::sys::prctl::set_no_new_privs().map_err(|error| error.to_string())
}
