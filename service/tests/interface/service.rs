//! A [`Fake`] that is served: on a Unix socket of this process, or, with `MEDIAGATE_TEST_TRANSPORT=binder`, by kernel
//! binder. A process that calls itself does not come by the driver, so there another one serves: this program again,
//! told over its input what to know and asked what it has seen.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use mediagate::binder::{Client, Serving, serve};
use mediagate::config::{PackageConfig, VolumeConfig};
use mediagate::control::GrantStatus;
use serde_json::{Value, json};

use crate::fake::{APP, Fake, OTHER, package};

/// Where the other process serves; it is one if this is set.
const ELSEWHERE: &str = "MEDIAGATE_TEST_SERVE";
/// What its answers begin with, among what libtest prints.
const MARK: &str = "answer: ";

/// Whether the clients of [`Service::start`] come by kernel binder.
pub(crate) fn over_binder() -> bool {
    std::env::var("MEDIAGATE_TEST_TRANSPORT").is_ok_and(|transport| transport == "binder")
}

/// What a [`Fake`] holds.
pub(crate) struct State {
    pub(crate) volumes: Vec<VolumeConfig>,
    pub(crate) grants: Vec<GrantStatus>,
    pub(crate) calls: Vec<String>,
}

/// A served [`Fake`].
pub(crate) struct Service {
    pub(crate) socket: PathBuf,
    pub(crate) uri: String,
    pub(crate) serving: Option<Serving>,
    fake: Arc<Fake>,
    elsewhere: Option<Mutex<Elsewhere>>,
    // Last: it holds the socket.
    dir: tempfile::TempDir,
}

impl Service {
    /// One whose clients come by the transport that is asked for.
    pub(crate) fn start() -> Self {
        if !over_binder() {
            return Self::on_socket();
        }
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let uri = format!("binder://mediagate.fake-{}-{number}", std::process::id());
        let elsewhere = Some(Mutex::new(Elsewhere::start(&uri)));
        Service {
            socket: PathBuf::new(),
            uri,
            serving: None,
            fake: Arc::default(),
            elsewhere,
            dir: directory(),
        }
    }

    /// One on a Unix socket, for what is about the socket.
    pub(crate) fn on_socket() -> Self {
        let dir = directory();
        let socket = dir.path().join("run/mediagate.sock");
        let uri = format!("unix://{}", socket.display());
        let fake = Arc::new(Fake::default());
        let serving = Some(serve(std::slice::from_ref(&uri), fake.clone()).unwrap());
        Service { socket, uri, serving, fake, elsewhere: None, dir }
    }

    pub(crate) fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.uri).unwrap()
    }

    /// Two apps with a package each.
    pub(crate) fn with_apps(self) -> Self {
        self.set_packages(vec![package("com.example.camera", APP), package("com.example.gallery", OTHER)]);
        self
    }

    pub(crate) fn set_packages(&self, packages: Vec<PackageConfig>) {
        match &self.elsewhere {
            Some(elsewhere) => drop(elsewhere.lock().unwrap().ask(&serde_json::to_value(packages).unwrap())),
            None => *self.fake.packages.lock().unwrap() = packages,
        }
    }

    pub(crate) fn state(&self) -> State {
        match &self.elsewhere {
            Some(elsewhere) => State::decode(elsewhere.lock().unwrap().ask(&Value::Null)),
            None => State::of(&self.fake),
        }
    }
}

/// A directory that other uids may walk through.
fn directory() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

impl State {
    fn of(fake: &Fake) -> State {
        State {
            volumes: fake.volumes.lock().unwrap().clone(),
            grants: fake.grants.lock().unwrap().clone(),
            calls: fake.calls.lock().unwrap().clone(),
        }
    }

    /// Paths are bytes, which JSON's strings are not.
    fn encode(self) -> Value {
        let volume = |mut it: VolumeConfig| {
            let paths = [&mut it.lower, &mut it.mount]
                .map(|path| std::mem::take(path).as_os_str().as_bytes().to_vec());
            json!([it, paths])
        };
        let volumes: Vec<_> = self.volumes.into_iter().map(volume).collect();
        json!([volumes, self.grants, self.calls])
    }

    fn decode(value: Value) -> State {
        type Volume = (VolumeConfig, [Vec<u8>; 2]);
        let (volumes, grants, calls): (Vec<Volume>, _, _) = serde_json::from_value(value).unwrap();
        let path = |bytes| PathBuf::from(std::ffi::OsString::from_vec(bytes));
        let volume =
            |(it, [lower, mount]): Volume| VolumeConfig { lower: path(lower), mount: path(mount), ..it };
        State { volumes: volumes.into_iter().map(volume).collect(), grants, calls }
    }
}

/// The process that serves.
struct Elsewhere {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Elsewhere {
    fn start(uri: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "service::serves_for_another_process", "--ignored", "--nocapture"])
            .env(ELSEWHERE, uri)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut elsewhere = Elsewhere { child, answers };
        elsewhere.answer();
        elsewhere
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.child.stdin.as_mut().unwrap(), "{question}").unwrap();
        self.answer()
    }

    fn answer(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.answers.read_line(&mut line).unwrap(), 0, "the serving process ended");
            if let Some((_, answer)) = line.split_once(MARK) {
                return serde_json::from_str(answer).unwrap();
            }
        }
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "the other process of a test over kernel binder"]
fn serves_for_another_process() {
    let Ok(uri) = std::env::var(ELSEWHERE) else { return };
    let fake = Arc::new(Fake::default());
    let _serving = serve(&[uri], fake.clone()).unwrap();
    println!("{MARK}null");
    for line in std::io::stdin().lines() {
        match serde_json::from_str(&line.unwrap()).unwrap() {
            Value::Null => println!("{MARK}{}", State::of(&fake).encode()),
            packages => {
                *fake.packages.lock().unwrap() = serde_json::from_value(packages).unwrap();
                println!("{MARK}null");
            }
        }
    }
}
