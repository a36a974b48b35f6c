//! Acting as an app within the test's own process: Linux keeps credentials for each thread.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// Longest that an app's work may take: far more than any test asks for, so that reaching it means a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `work` in a thread that has the app's uid and nothing else. Anything that a program can do can be tried this
/// way; [`crate::Actor`] is for what takes a process of its own.
///
/// A panic of `work` is the caller's. Work that does not end fails the test instead of hanging it.
pub fn as_app<T: Send + 'static>(uid: u32, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, wait) = channel();
    let thread = std::thread::spawn(move || {
        become_app(uid);
        let result = work();
        let _ = done.send(());
        result
    });
    if let Err(RecvTimeoutError::Timeout) = wait.recv_timeout(PATIENCE) {
        panic!("uid {uid}: still not done after {PATIENCE:?}");
    }
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Gives the calling thread, and it alone, the app's uid. There is no way back.
pub fn become_app(uid: u32) {
    assert!(nix::unistd::geteuid().is_root(), "these tests become other uids: run them as root");
    let (user, group) = (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(uid));
    set_thread_groups(&[]).expect("setgroups");
    set_thread_res_gid(group, group, group).expect("setresgid");
    set_thread_res_uid(user, user, user).expect("setresuid");
}
