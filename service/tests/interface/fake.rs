//! A `Control` that keeps a few things in memory, and acting with another uid.
#![allow(unsafe_code, reason = "setresuid of one thread only, which libc does not offer")]

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mediagate::config::{PackageConfig, VolumeConfig};
use mediagate::control::store::{
    Bell, ChangeNotice, InsertSpec, Inserted, MediaChanges, MediaGroup, MediaGrouping, MediaHistory,
    MediaItem, MediaPage, MediaQuery, MediaResult, NoticeKind, Observation, OpenMode, Store, StoreCaller,
    Taken, Told,
};
use mediagate::control::{
    Control, ControlError, ExplainRequest, Explanation, GrantSpec, GrantStatus, MaintenanceStatus,
    MaintenanceStep, PackageStatus, ScanStatus, SessionRequest, Stat, VolumeState, VolumeStatus,
};

use crate::service::over_binder;

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

/// A store of one file, 7, that believes what it is told.
#[derive(Debug)]
struct FakeStore(Arc<Fake>);

impl FakeStore {
    fn item() -> MediaItem {
        MediaItem { id: 7, path: b"/storage/emulated/0/DCIM/\xff.jpg".to_vec(), ..MediaItem::default() }
    }

    fn results(ids: &[i64]) -> Vec<MediaResult> {
        ids.iter().map(|id| if *id == 7 { MediaResult::Done } else { MediaResult::NotFound }).collect()
    }
}

impl Store for FakeStore {
    fn query(&self, _: StoreCaller, _: &MediaQuery) -> Result<MediaPage, ControlError> {
        Ok(MediaPage { items: vec![Self::item()], next: None })
    }
    fn count(&self, _: StoreCaller, query: &MediaQuery) -> Result<u64, ControlError> {
        match query.volume.as_deref() {
            Some("none") => Err(ControlError::NotFound("no volume \"none\" is attached".to_owned())),
            _ => Ok(1),
        }
    }
    fn groups(
        &self,
        _: StoreCaller,
        _: &MediaQuery,
        _: MediaGrouping,
        _: usize,
    ) -> Result<Vec<MediaGroup>, ControlError> {
        Ok(Vec::new())
    }
    fn insert(&self, caller: StoreCaller, spec: &InsertSpec) -> Result<Inserted, ControlError> {
        self.0.note(format!("insert for {}", caller.uid));
        Ok(Inserted {
            id: 8,
            display_name: spec.display_name.clone().unwrap_or_default(),
            ..Inserted::default()
        })
    }
    fn update(
        &self,
        caller: StoreCaller,
        ids: &[i64],
        _: &MediaChanges,
    ) -> Result<Vec<MediaResult>, ControlError> {
        self.0.note(format!("update for {}", caller.uid));
        Ok(Self::results(ids))
    }
    fn remove(&self, caller: StoreCaller, ids: &[i64]) -> Result<Vec<MediaResult>, ControlError> {
        self.0.note(format!("remove for {}", caller.uid));
        Ok(Self::results(ids))
    }
    /// A descriptor that says who opened it.
    fn open_file(&self, caller: StoreCaller, id: i64, _: OpenMode) -> Result<OwnedFd, ControlError> {
        if id != 7 {
            return Err(ControlError::NotFound(format!("there is no file {id}")));
        }
        let (reads, mut writes) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut writes, format!("for {}", caller.uid).as_bytes()).unwrap();
        Ok(reads.into())
    }
    fn playlist(&self, caller: StoreCaller, _: i64, _: Option<&[u8]>) -> Result<MediaPage, ControlError> {
        self.0.note(format!("playlist for {}", caller.uid));
        Ok(MediaPage::default())
    }
    fn changes(&self, _: StoreCaller, _: &MediaQuery, since: i64) -> Result<MediaHistory, ControlError> {
        Ok(MediaHistory { generation: since, ..MediaHistory::default() })
    }
    fn version(&self) -> Result<(i64, i64), ControlError> {
        Ok((3, 4))
    }
    fn observe(
        self: Arc<Self>,
        _: StoreCaller,
        _: &MediaQuery,
        _: Bell,
    ) -> Result<Arc<dyn Observation>, ControlError> {
        Ok(Arc::new(Once::default()))
    }
}

/// A place in which one notice waits.
#[derive(Default)]
struct Once(AtomicBool);

impl Observation for Once {
    fn take(&self, _: Duration) -> Taken {
        if self.0.swap(true, Ordering::Relaxed) {
            return Taken::Nothing;
        }
        let notice = ChangeNotice { kind: NoticeKind::Added, volume: "v".to_owned(), id: 7, generation: 3 };
        Taken::Told((vec![notice], 0))
    }
    fn give_back(&self, _: Told) {
        self.0.store(false, Ordering::Relaxed);
    }
    fn close(&self) {}
}

impl Control for Fake {
    fn media_store(self: Arc<Self>) -> Arc<dyn Store> {
        Arc::new(FakeStore(self))
    }

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

    /// Reads what the descriptor holds: so it is the caller's own.
    fn start_session(&self, session: SessionRequest) -> Result<(), ControlError> {
        let mut said = String::new();
        std::io::Read::read_to_string(&mut std::fs::File::from(session.device), &mut said).unwrap();
        self.note(format!("session {} {said:?} {:?} {:?}", session.id, session.upper, session.lower));
        Ok(())
    }

    fn end_session(&self, id: &str) -> Result<(), ControlError> {
        self.note(format!("end {id}"));
        if id == "none" { Err(ControlError::NotFound("no such session".to_owned())) } else { Ok(()) }
    }

    fn volume_state_changed(&self, id: &str, state: VolumeState) -> Result<(), ControlError> {
        self.note(format!("state {id} {state:?}"));
        Ok(())
    }

    fn bind_private_storage(&self, namespace: OwnedFd, uid: u32) -> Result<(), ControlError> {
        let link = std::fs::read_link(format!("/proc/self/fd/{}", namespace.as_raw_fd())).unwrap();
        self.note(format!("private {uid} {}", link.display()));
        if uid == OTHER { Err(ControlError::NotFound("no such uid".to_owned())) } else { Ok(()) }
    }

    fn free_cache(&self) -> Result<u64, ControlError> {
        self.note("free cache".to_owned());
        Ok(4096)
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

    fn clear_package(&self, name: &str) -> Result<(), ControlError> {
        self.known(name)
    }

    fn maintain(&self) -> Result<MaintenanceStatus, ControlError> {
        Ok(self.maintenance().unwrap())
    }

    fn maintenance(&self) -> Option<MaintenanceStatus> {
        let step = MaintenanceStep {
            name: "expired".to_owned(),
            phase: "running".to_owned(),
            done: 3,
            failed: 1,
            said: "3 files deleted".to_owned(),
        };
        Some(MaintenanceStatus { number: 2, phase: "done".to_owned(), millis: 7, steps: vec![step] })
    }

    fn cancel_maintenance(&self) -> Result<(), ControlError> {
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

    fn redacted_path(
        &self,
        uid: Option<u32>,
        path: &[u8],
        reader: Option<(&str, u32)>,
    ) -> Result<Vec<u8>, ControlError> {
        self.note(format!("link {uid:?} {reader:?}"));
        Ok([path, b".link"].concat())
    }

    fn explain(&self, request: &ExplainRequest) -> Result<Explanation, ControlError> {
        assert_ne!(request.path, b"/panic", "a panic made on purpose");
        self.note(format!("explain {} {} {:?}", request.uid, request.operation, request.path));
        Ok(Explanation {
            allowed: false,
            errno: "EACCES".to_owned(),
            rule: "others-media".to_owned(),
            because: "it belongs to another app".to_owned(),
            needs: vec!["READ_MEDIA_IMAGES".to_owned()],
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
        scoped_storage: None,
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
///
/// Kernel binder takes the uid of the process instead (drivers/android/binder.c, `binder_transaction`): there the whole
/// process has it meanwhile, which is why the tests are run one by one.
pub(crate) fn as_uid<T: Send>(uid: u32, work: impl FnOnce() -> T + Send) -> T {
    if over_binder() {
        let become_ = |uid| {
            // SAFETY: takes a number and touches no memory of ours.
            let result = unsafe { libc::seteuid(uid) };
            assert_eq!(result, 0, "these tests act as other uids: run them as root");
        };
        become_(uid);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        become_(0);
        return result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }
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
