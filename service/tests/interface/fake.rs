//! A `Control` that keeps a few things in memory, a socket to serve it on, and threads with another uid.
#![allow(unsafe_code, reason = "setresuid of one thread only, which libc does not offer")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use mediagate::binder::{Client, Serving, serve};
use mediagate::config::{PackageConfig, VolumeConfig};
use mediagate::control::{
    Control, ControlError, ExplainRequest, Explanation, GrantSpec, GrantStatus, PackageStatus, ScanStatus,
    Stat, VolumeStatus,
};

/// An app's uid, and another one's.
pub(crate) const APP: u32 = 10_101;
pub(crate) const OTHER: u32 = 10_102;
/// An administrator that is not root.
pub(crate) const ADMIN: u32 = 1000;

#[derive(Debug, Default)]
pub(crate) struct Fake {
    pub(crate) volumes: Mutex<Vec<VolumeConfig>>,
    pub(crate) packages: Mutex<Vec<PackageConfig>>,
    pub(crate) grants: Mutex<Vec<GrantStatus>>,
    /// Calls that changed something, in words.
    pub(crate) calls: Mutex<Vec<String>>,
}

impl Fake {
    fn known(&self, package: &str) -> Result<(), ControlError> {
        if self.packages.lock().unwrap().iter().any(|p| p.name == package) {
            return Ok(());
        }
        Err(ControlError::NotFound(format!("there is no package {package}")))
    }

    fn note(&self, call: String) {
        self.calls.lock().unwrap().push(call);
    }
}

impl Control for Fake {
    fn volumes(&self) -> Vec<VolumeStatus> {
        let status = |v: &VolumeConfig| VolumeStatus {
            name: v.name.clone(),
            kind: "emulated".to_owned(),
            lower: v.lower.to_str().unwrap().to_owned(),
            mount: v.mount.to_str().unwrap().to_owned(),
            users: v.users.clone(),
            passthrough: "upstream".to_owned(),
            watch: "fanotify".to_owned(),
            xattrs: true,
            indexed: false,
            emptied: false,
        };
        self.volumes.lock().unwrap().iter().map(status).collect()
    }

    fn attach_volume(&self, volume: VolumeConfig) -> Result<(), ControlError> {
        if volume.name == "broken" {
            return Err(ControlError::Failed("cannot mount".to_owned()));
        }
        let mut volumes = self.volumes.lock().unwrap();
        if volumes.iter().any(|v| v.name == volume.name) {
            return Err(ControlError::AlreadyExists(format!("there is a volume {}", volume.name)));
        }
        volumes.push(volume);
        Ok(())
    }

    fn detach_volume(&self, name: &str) -> Result<(), ControlError> {
        let mut volumes = self.volumes.lock().unwrap();
        let before = volumes.len();
        volumes.retain(|v| v.name != name);
        if volumes.len() == before {
            return Err(ControlError::NotFound(format!("there is no volume {name}")));
        }
        Ok(())
    }

    fn packages(&self) -> Vec<PackageStatus> {
        let status = |p: &PackageConfig| PackageStatus {
            package: p.clone(),
            uids: p.users.iter().map(|user| user * 100_000 + p.app_id).collect(),
            source: "runtime".to_owned(),
        };
        self.packages.lock().unwrap().iter().map(status).collect()
    }

    fn install_package(&self, package: PackageConfig) -> Result<(), ControlError> {
        self.note(format!("install {}", package.name));
        self.packages.lock().unwrap().push(package);
        Ok(())
    }

    fn remove_package(&self, name: &str) -> Result<(), ControlError> {
        self.known(name)?;
        self.packages.lock().unwrap().retain(|p| p.name != name);
        Ok(())
    }

    fn set_permission(&self, package: &str, permission: &str, granted: bool) -> Result<(), ControlError> {
        self.known(package)?;
        self.note(format!("permission {package} {permission} {granted}"));
        Ok(())
    }

    fn set_app_op(&self, package: &str, op: &str, mode: &str) -> Result<(), ControlError> {
        self.known(package)?;
        if op == "NONSENSE" {
            return Err(ControlError::Invalid("NONSENSE is no app op".to_owned()));
        }
        self.note(format!("appop {package} {op} {mode}"));
        Ok(())
    }

    fn add_grant(&self, grant: &GrantSpec) -> Result<(), ControlError> {
        self.known(&grant.package)?;
        if grant.path.starts_with(b"/full") {
            return Err(ControlError::Failed("too many".to_owned()));
        }
        let mut grants = self.grants.lock().unwrap();
        let id = i64::try_from(grants.len()).unwrap() + 1;
        grants.push(GrantStatus {
            id,
            package: grant.package.clone(),
            user: grant.user,
            kind: grant.kind.clone(),
            volume: "sd".to_owned(),
            path: grant.path.clone(),
            expires: grant.expires,
            created: 1_700_000_000,
        });
        Ok(())
    }

    fn grants(
        &self,
        packages: Option<&[String]>,
        user: Option<u32>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<GrantStatus>, ControlError> {
        let mut grants = self.grants.lock().unwrap().clone();
        grants.retain(|it| it.id > after);
        grants.retain(|it| packages.is_none_or(|them| them.contains(&it.package)));
        grants.retain(|it| user.is_none_or(|user| user == it.user));
        grants.truncate(limit);
        Ok(grants)
    }

    fn remove_grants(&self, package: &str, user: u32, path: Option<&[u8]>) -> Result<usize, ControlError> {
        self.known(package)?;
        let mut grants = self.grants.lock().unwrap();
        let before = grants.len();
        grants.retain(|it| {
            it.package != package || it.user != user || path.is_some_and(|path| path != it.path)
        });
        match before - grants.len() {
            0 if path.is_some() => Err(ControlError::NotFound("no grant on it".to_owned())),
            removed => Ok(removed),
        }
    }

    fn packages_of_uid(&self, uid: u32) -> Vec<String> {
        let mine = self.packages().into_iter().filter(|p| p.uids.contains(&uid));
        mine.map(|p| p.package.name).collect()
    }

    fn scan(&self, path: Option<&[u8]>) -> Result<Vec<ScanStatus>, ControlError> {
        let path = path.unwrap_or(b"/all").to_vec();
        self.note(format!("scan {}", String::from_utf8_lossy(&path)));
        Ok(vec![ScanStatus {
            volume: "v".to_owned(),
            ticket: 1,
            phase: "done".to_owned(),
            path,
            ..Default::default()
        }])
    }

    fn scan_file_for(&self, uid: u32, path: &[u8]) -> Result<Vec<ScanStatus>, ControlError> {
        self.note(format!("scan for {uid}"));
        let (volume, phase) = ("v".to_owned(), "done".to_owned());
        Ok(vec![ScanStatus { volume, phase, path: path.to_vec(), files: 1, ..Default::default() }])
    }

    fn scans(&self) -> Vec<ScanStatus> {
        Vec::new()
    }

    fn cancel_scan(&self, volume: &str, ticket: u64) -> Result<(), ControlError> {
        self.note(format!("cancel {volume} {ticket}"));
        Ok(())
    }

    fn explain(&self, request: &ExplainRequest) -> Result<Explanation, ControlError> {
        assert_ne!(request.path, b"/panic", "a panic made on purpose");
        self.note(format!("explain {} {} {:?}", request.uid, request.operation, request.path));
        Ok(Explanation {
            allowed: false,
            errno: "EACCES".to_owned(),
            rule: "others-media".to_owned(),
            because: "it belongs to another app".to_owned(),
            redacted: false,
            facts: vec![("owner".to_owned(), "com.example.gallery".to_owned())],
        })
    }

    fn stats(&self) -> Vec<Stat> {
        vec![
            Stat { name: "fuse.requests.lookup".to_owned(), value: 42, gauge: false },
            Stat { name: "node.live".to_owned(), value: 7, gauge: true },
        ]
    }

    fn dump(&self) -> String {
        "volumes: 0\n".to_owned()
    }

    fn admin_uids(&self) -> Vec<u32> {
        vec![0, ADMIN]
    }
}

/// A served [`Fake`].
pub(crate) struct Service {
    pub(crate) fake: Arc<Fake>,
    pub(crate) socket: PathBuf,
    pub(crate) uri: String,
    pub(crate) serving: Option<Serving>,
    // Last: it holds the socket.
    dir: tempfile::TempDir,
}

impl Service {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        open_dir(dir.path());
        let socket = dir.path().join("run/mediagate.sock");
        let uri = format!("unix://{}", socket.display());
        let fake = Arc::new(Fake::default());
        let serving = serve(std::slice::from_ref(&uri), fake.clone()).unwrap();
        Service { fake, socket, uri, serving: Some(serving), dir }
    }

    pub(crate) fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.uri).unwrap()
    }

    /// Two apps with a package each.
    pub(crate) fn with_apps(self) -> Self {
        *self.fake.packages.lock().unwrap() =
            vec![package("com.example.camera", APP), package("com.example.gallery", OTHER)];
        self
    }
}

/// Lets other uids through a temporary directory.
fn open_dir(dir: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
}

pub(crate) fn package(name: &str, app_id: u32) -> PackageConfig {
    PackageConfig {
        name: name.to_owned(),
        app_id,
        users: vec![0],
        target_sdk: 34,
        permissions: vec!["READ_MEDIA_IMAGES".to_owned()],
        app_ops: Default::default(),
        request_legacy_storage: false,
        request_raw_access: None,
        shared_uid: false,
        instant: false,
    }
}

pub(crate) fn volume(name: &str) -> VolumeConfig {
    VolumeConfig {
        name: name.to_owned(),
        kind: mediagate::config::VolumeKindConfig::Emulated,
        lower: "/data/media".into(),
        mount: "/storage/emulated".into(),
        users: vec![0],
        owner: None,
        passthrough: true,
        cache_seconds: None,
        watch: mediagate::config::WatchConfig::Auto,
    }
}

/// Runs `work` on a thread that has `uid`, as do the threads it starts. Credentials belong to threads on Linux, and
/// the uid of a socket's peer is that of the thread that connected.
pub(crate) fn as_uid<T: Send>(uid: u32, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // SAFETY: the system call takes three numbers and touches no memory of ours.
            let result = unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) };
            assert_eq!(result, 0, "these tests act as other uids: run them as root");
            work()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
