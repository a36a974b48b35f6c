//! `run-as`: a command with an app's uid.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use clap::Args;
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
        Exits with the command's own status, or with 127 when there is no such command and 126 when it cannot be run.",
    after_long_help = "Examples:\n  \
        mediagate run-as com.example.camera -- ls -l /storage/emulated/0/DCIM\n  \
        mediagate run-as com.example.camera --user 10 -- sh -c 'cat > /storage/emulated/10/Download/x.txt'"
)]
pub(super) struct RunAs {
    /// Name of the package.
    package: String,
    /// User it runs for.
    #[arg(long, value_name = "N", default_value_t = 0)]
    user: u32,
    /// Command and its arguments, after `--`.
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
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
        let uid = package::uid(&connection.open()?, &self.package, self.user)?;
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
