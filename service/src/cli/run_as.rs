//! `run-as`: a command with an app's uid.

use std::ffi::OsString;
use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use clap::Args;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_no_new_privs;
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

use super::connection::Connection;
use super::failure::Failure;
use super::package;

/// Run a command with an app's uid.
#[derive(Debug, Args)]
#[command(
    long_about = "Runs a command with the uid and gid that a package has in a user, without supplementary groups, and \
        with no way to gain privileges. The service is asked for the uid. Needs root.\n\n\
        With --private the command gets a mount namespace of its own, in which the directories of the uid's packages below \
        Android/data and Android/obb of emulated volumes are the lower ones: there it works at native speed, and other \
        packages' directories are absent. Needs Linux 5.12.\n\n\
        Exits with the command's own status, or with 127 when there is no such command and 126 when it cannot be run.",
    after_long_help = "Examples:\n  \
        mediagate run-as com.example.camera -- ls -l /storage/emulated/0/DCIM\n  \
        mediagate run-as --private com.example.game -- sh -c 'cat /storage/emulated/0/Android/obb/com.example.game/*'\n  \
        mediagate run-as com.example.camera --user 10 -- sh -c 'cat > /storage/emulated/10/Download/x.txt'"
)]
pub(super) struct RunAs {
    /// Name of the package.
    package: String,
    /// User it runs for.
    #[arg(long, value_name = "N", default_value_t = 0)]
    user: u32,
    /// Bind the app's private directories (Android/data, Android/obb) in a mount namespace for the command.
    #[arg(long)]
    private: bool,
    /// Command and its arguments, after `--`.
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// Leaves the mount namespace that is everybody's. What is mounted there later is still seen here; what is mounted here is
/// nobody else's.
fn own_namespace() -> Result<OwnedFd, Failure> {
    let failed = |errno: &dyn std::fmt::Display| {
        Failure::Failed(format!("cannot make a mount namespace for the command: {errno}"))
    };
    let (none, all) = (None::<&str>, MsFlags::MS_REC | MsFlags::MS_SLAVE);
    unshare(CloneFlags::CLONE_NEWNS)
        .and_then(|()| mount(none, "/", none, all, none))
        .map_err(|errno| failed(&errno))?;
    // This thread's, which becomes the command; the client's others are still where they were.
    File::open("/proc/thread-self/ns/mnt").map(OwnedFd::from).map_err(|error| failed(&error))
}

impl RunAs {
    /// Becomes the command, or says why not.
    pub(super) fn run(self, connection: &Connection) -> Failure {
        match self.become_app(connection) {
            Ok(()) => self.exec(),
            Err(failure) => failure,
        }
    }

    fn become_app(&self, connection: &Connection) -> Result<(), Failure> {
        if !Uid::effective().is_root() {
            return Err(Failure::Failed(
                "run-as changes its uid, which takes root; run it as root".to_owned(),
            ));
        }
        let client = connection.open()?;
        let uid = package::uid(&client, &self.package, self.user)?;
        if self.private {
            client.bind_private_storage(own_namespace()?, uid)?;
        }
        let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
        // Groups before the uid, which takes the right to change them away.
        setgroups(&[])
            .and_then(|()| setresgid(group, group, group))
            .and_then(|()| setresuid(user, user, user))
            .and_then(|()| set_no_new_privs())
            .map_err(|errno| Failure::Failed(format!("cannot become uid {uid}: {errno}")))
    }

    fn exec(self) -> Failure {
        let mut words = self.command.into_iter();
        let Some(program) = words.next() else {
            return Failure::Usage("give a command after `--`".to_owned());
        };
        let error = Command::new(&program).args(words).exec();
        let code = if error.kind() == ErrorKind::NotFound { 127 } else { 126 };
        Failure::Command { message: format!("cannot run {}: {error}", program.display()), code }
    }
}
