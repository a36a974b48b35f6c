//! Ends that nobody announced: of the service, and of its clients.

use mediagate_tests::{Actor, Call, Failure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{BINDER, CAMERA_UID, SHARED, SOCKET, cli, numbers, try_cli, wait_until};

/// The process that serves: the one whose name is the program's.
pub(crate) fn service() -> Pid {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pid = processes.filter_map(|it| it.file_name().to_str()?.parse::<i32>().ok()).find(|pid| {
        std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.starts_with(b"/system/bin/mediagate\0serve"))
    });
    Pid::from_raw(pid.expect("the service runs"))
}

fn answers(address: &str) -> bool {
    try_cli(address, &["stats"]).status.success()
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn a_killed_service_is_lost_to_its_clients_and_comes_back_with_its_mount() {
    let mut camera = Actor::start(CAMERA_UID);
    let file = format!("{SHARED}/Download/death.bin");
    camera.create(&file, b"before").unwrap();
    let mut clients = [BINDER, SOCKET].map(|address| {
        let mut client = Actor::start(0);
        client.connect(address).unwrap();
        client
    });
    let earlier = service();
    kill(earlier, Signal::SIGKILL).unwrap();
    for client in &mut clients {
        // The kernel tells it as the process ends, which is a moment after the signal.
        let begin = std::time::Instant::now();
        let failure = loop {
            match client.call(Call::Stats) {
                Err(failure) => break failure,
                Ok(_) => assert!(begin.elapsed() < crate::PATIENCE),
            }
        };
        assert!(matches!(failure, Failure::Lost(_)), "{failure:?}");
    }
    // Init starts it again: the mount of the dead one is replaced, the name registered anew.
    wait_until("a new service", || [BINDER, SOCKET].into_iter().all(answers));
    assert_ne!(service(), earlier);
    wait_until("the mount", || camera.read_all(&file).is_ok());
    assert_eq!(camera.read_all(&file).unwrap(), b"before");
    for client in &mut clients {
        assert!(matches!(client.call(Call::Stats), Err(Failure::Lost(_))), "the dead one stays dead");
    }
    camera.unlink(&file).unwrap();
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn clients_that_are_killed_leave_nothing() {
    let threads = || std::fs::read_dir(format!("/proc/{}/task", service())).unwrap().count();
    let files = || std::fs::read_dir(format!("/proc/{}/fd", service())).unwrap().count();
    cli(BINDER, &["stats"]);
    let nodes = numbers(["nodes"]);
    let before = (threads(), files());
    for _ in 0..10 {
        for address in [BINDER, SOCKET] {
            let mut client = Actor::start(0);
            client.connect(address).unwrap();
            client.call(Call::Stats).unwrap();
            // Killed with what it holds when it is dropped.
        }
    }
    wait_until("threads and descriptors of dead clients go", || {
        threads() <= before.0 + 4 && files() <= before.1 + 4
    });
    assert!(numbers(["nodes"])[0] <= nodes[0] + 1);
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn observers_end_with_their_process() {
    let observers = || {
        let dump = cli(BINDER, &["dump"]);
        let (_, after) = dump.split_once("OBSERVERS BY UID\n").unwrap();
        after.lines().take_while(|line| line.starts_with("  ")).count()
    };
    assert_eq!(observers(), 0);
    let mut watcher = std::process::Command::new(mediagate_tests::actor::program("mediagate-tested"))
        .args(["--connect", BINDER, "watch", "--json"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the observer is there", || observers() == 1);
    watcher.kill().unwrap();
    watcher.wait().unwrap();
    wait_until("it went with its process", || observers() == 0);
}
