//! The document portal of desktops (xdg-desktop-portal) as a subject: a session bus of its own, and the directory exported to
//! whom it is for. What is said on the bus is two calls, so the messages are put together here
//! (<https://dbus.freedesktop.org/doc/dbus-specification.html>).

use std::io::{IoSlice, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

pub(crate) const PROGRAM: &str = "/usr/libexec/xdg-document-portal";

/// Where it mounts, in its runtime directory.
pub(crate) fn mount(runtime: &Path) -> PathBuf {
    runtime.join("doc")
}

/// A session bus; it starts what else the portal asks for, which ends with it.
pub(crate) fn bus(runtime: &Path) -> Child {
    let socket = runtime.join("bus");
    let _ = std::fs::remove_file(&socket);
    let mut command = Command::new("dbus-daemon");
    command.args(["--session", "--nofork", "--nopidfile"]).arg(format!("--address={}", address(runtime)));
    let child =
        environment(&mut command, runtime).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begin = Instant::now();
    while !socket.exists() {
        assert!(begin.elapsed() < Duration::from_secs(10), "dbus-daemon does not listen");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn address(runtime: &Path) -> String {
    format!("unix:path={}", runtime.join("bus").display())
}

/// What programs of that session find in their environment.
pub(crate) fn environment<'a>(command: &'a mut Command, runtime: &Path) -> &'a mut Command {
    for name in ["XDG_RUNTIME_DIR", "XDG_DATA_HOME", "HOME"] {
        command.env(name, runtime);
    }
    command.env("DBUS_SESSION_BUS_ADDRESS", address(runtime))
}

/// Exports a directory to unconfined programs and gives its place in the mount.
pub(crate) fn export(runtime: &Path, dir: &Path) -> PathBuf {
    let mut bus = UnixStream::connect(runtime.join("bus")).unwrap();
    let uid: String = nix::unistd::geteuid().to_string().bytes().map(|it| format!("{it:02x}")).collect();
    bus.write_all(format!("\0AUTH EXTERNAL {uid}\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n").as_bytes()).unwrap();
    for expected in ["OK ", "AGREE_UNIX_FD"] {
        let said = line(&mut bus);
        assert!(said.starts_with(expected), "the bus says {said:?}");
    }
    let hello = ["/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "org.freedesktop.DBus"];
    bus.write_all(&message(1, hello, None, &[])).unwrap();
    let documents = "org.freedesktop.portal.Documents";
    let add = ["/org/freedesktop/portal/documents", documents, "AddFull", documents];
    // An array of one descriptor (the first that comes along); the flag for directories; no app; no permissions.
    let body: Vec<u8> = [4_u32, 0, 8, 0].into_iter().flat_map(u32::to_le_bytes).chain([0; 8]).collect();
    let handle = rustix::fs::open(dir, rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).unwrap();
    let message = message(2, add, Some("ahusas"), &body);
    let handles = [handle.as_raw_fd()];
    let with = [ControlMessage::ScmRights(&handles)];
    sendmsg::<()>(bus.as_raw_fd(), &[IoSlice::new(&message)], &with, MsgFlags::empty(), None).unwrap();
    // The answer to Hello, the signal that there is a name, and the answer that is waited for.
    let answer =
        std::iter::repeat_with(|| receive(&mut bus)).filter(|(kind, _)| *kind != SIGNAL).nth(1).unwrap().1;
    // An array of strings: the length of both, the string.
    let id = answer.get(8..8 + number(&answer, 4)).unwrap();
    let name = dir.file_name().unwrap();
    mount(runtime).join(std::str::from_utf8(id).unwrap()).join(name)
}

fn line(bus: &mut UnixStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        bus.read_exact(&mut byte).unwrap();
        line.extend(byte);
    }
    String::from_utf8(line).unwrap()
}

const ERROR: u8 = 3;
const SIGNAL: u8 = 4;

fn pad(out: &mut Vec<u8>, to: usize) {
    out.resize(out.len().next_multiple_of(to), 0);
}

/// A call of a method: path, interface, member, destination. With arguments there is one descriptor, too.
fn message(serial: u32, call: [&str; 4], signature: Option<&str>, body: &[u8]) -> Vec<u8> {
    let mut fields = Vec::new();
    for ((code, kind), text) in [(1, b'o'), (2, b's'), (3, b's'), (6, b's')].into_iter().zip(call) {
        pad(&mut fields, 8);
        fields.extend([code, 1, kind, 0]);
        fields.extend((text.len() as u32).to_le_bytes());
        fields.extend(text.bytes().chain([0]));
    }
    if let Some(signature) = signature {
        pad(&mut fields, 8);
        fields.extend([8, 1, b'g', 0, signature.len() as u8]);
        fields.extend(signature.bytes().chain([0]));
        pad(&mut fields, 8);
        fields.extend([9, 1, b'u', 0, 1, 0, 0, 0]);
    }
    let mut out = vec![b'l', 1, 0, 1];
    out.extend([body.len() as u32, serial, fields.len() as u32].into_iter().flat_map(u32::to_le_bytes));
    out.extend(fields);
    pad(&mut out, 8);
    out.extend(body);
    out
}

fn number(data: &[u8], at: usize) -> usize {
    u32::from_le_bytes(data[at..at + 4].try_into().unwrap()) as usize
}

/// The kind and the body of the next message.
fn receive(bus: &mut UnixStream) -> (u8, Vec<u8>) {
    let mut head = [0; 16];
    bus.read_exact(&mut head).unwrap();
    let mut fields = vec![0; number(&head, 12).next_multiple_of(8)];
    bus.read_exact(&mut fields).unwrap();
    let mut body = vec![0; number(&head, 4)];
    bus.read_exact(&mut body).unwrap();
    assert_ne!(head[1], ERROR, "the portal says {:?}", String::from_utf8_lossy(&body));
    (head[1], body)
}
