//! Between the AIDL types and those of [`crate::control`], in both directions, for both ends.
//!
//! What comes from the wire is checked, field by field ([`super::field`]). What a field
//! *means* (whether there is such a user, whether two mounts overlap) is the business of [`crate::control::Control`].

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use mediagate_aidl as aidl;

use super::field::{
    all_signed, all_unsigned, bounded, enumerator, name, path, path_bytes, signed, taken_over, unsigned, word,
};
use crate::config::{PackageConfig, VolumeConfig, VolumeKindConfig, WatchConfig, check_watch};
use crate::control::{
    ControlError, ExplainRequest, Explanation, GrantSpec, GrantStatus, PackageStatus, SessionRequest, Stat,
    VolumeState, VolumeStatus,
};

type Result<T> = std::result::Result<T, ControlError>;

fn or_user_0(users: Vec<u32>) -> Vec<u32> {
    if users.is_empty() { vec![0] } else { users }
}

fn bytes_of(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

/// The descriptor is taken over: the caller's own copy goes with the call.
pub(super) fn session_from_wire(
    id: &str,
    device: BorrowedFd<'_>,
    upper: &[u8],
    lower: &[u8],
) -> Result<SessionRequest> {
    let id = name("session's id", id)?.to_owned();
    let (upper, lower) = (path("the upper path", upper)?, path("the lower path", lower)?);
    Ok(SessionRequest { id, device: taken_over(device)?, upper, lower })
}

pub(super) fn state_from_wire(state: aidl::VolumeState) -> Result<VolumeState> {
    match state {
        aidl::VolumeState::CHECKING => Ok(VolumeState::Checking),
        aidl::VolumeState::MOUNTED | aidl::VolumeState::MOUNTED_READ_ONLY => Ok(VolumeState::Mounted),
        aidl::VolumeState::UNMOUNTED
        | aidl::VolumeState::FORMATTING
        | aidl::VolumeState::EJECTING
        | aidl::VolumeState::UNMOUNTABLE
        | aidl::VolumeState::REMOVED
        | aidl::VolumeState::BAD_REMOVAL => Ok(VolumeState::Leaving),
        other => Err(ControlError::Invalid(format!("there is no state of a volume {}", other.0))),
    }
}

fn kind_from_wire(kind: aidl::VolumeKind) -> Result<VolumeKindConfig> {
    match kind {
        aidl::VolumeKind::EMULATED => Ok(VolumeKindConfig::Emulated),
        aidl::VolumeKind::PUBLIC => Ok(VolumeKindConfig::Public),
        other => Err(ControlError::Invalid(format!("there is no kind of volume {}", other.0))),
    }
}

fn kind_to_wire(kind: VolumeKindConfig) -> aidl::VolumeKind {
    match kind {
        VolumeKindConfig::Emulated => aidl::VolumeKind::EMULATED,
        VolumeKindConfig::Public => aidl::VolumeKind::PUBLIC,
    }
}

const KINDS: [(&str, aidl::VolumeKind); 2] =
    [("emulated", aidl::VolumeKind::EMULATED), ("public", aidl::VolumeKind::PUBLIC)];

const MODES: [(&str, aidl::AppOpMode); 4] = [
    ("default", aidl::AppOpMode::DEFAULT),
    ("allow", aidl::AppOpMode::ALLOW),
    ("ignore", aidl::AppOpMode::IGNORE),
    ("deny", aidl::AppOpMode::DENY),
];

const GRANTS: [(&str, aidl::GrantKind); 3] = [
    ("read", aidl::GrantKind::READ),
    ("write", aidl::GrantKind::WRITE),
    ("selected", aidl::GrantKind::SELECTED),
];

const OPERATIONS: [(&str, aidl::Operation); 22] = [
    ("lookup", aidl::Operation::LOOKUP),
    ("getattr", aidl::Operation::GETATTR),
    ("access-f", aidl::Operation::ACCESS_F),
    ("access-r", aidl::Operation::ACCESS_R),
    ("access-w", aidl::Operation::ACCESS_W),
    ("access-x", aidl::Operation::ACCESS_X),
    ("setattr", aidl::Operation::SETATTR),
    ("mknod", aidl::Operation::MKNOD),
    ("symlink", aidl::Operation::SYMLINK),
    ("link", aidl::Operation::LINK),
    ("getxattr", aidl::Operation::GETXATTR),
    ("setxattr", aidl::Operation::SETXATTR),
    ("listxattr", aidl::Operation::LISTXATTR),
    ("removexattr", aidl::Operation::REMOVEXATTR),
    ("read", aidl::Operation::READ),
    ("write", aidl::Operation::WRITE),
    ("create", aidl::Operation::CREATE),
    ("mkdir", aidl::Operation::MKDIR),
    ("rmdir", aidl::Operation::RMDIR),
    ("list", aidl::Operation::LIST),
    ("delete", aidl::Operation::DELETE),
    ("rename", aidl::Operation::RENAME),
];

/// `cacheSeconds` of a volume whose watch decides.
const CACHE_BY_WATCH: i32 = -2;

fn watch_word(watch: WatchConfig) -> &'static str {
    match watch {
        WatchConfig::Auto => "auto",
        WatchConfig::Fanotify => "fanotify",
        WatchConfig::Inotify => "inotify",
        WatchConfig::Off => "off",
    }
}

pub(super) fn volume_from_wire(spec: &aidl::VolumeSpec) -> Result<VolumeConfig> {
    Ok(VolumeConfig {
        name: name("volume's name", &spec.name)?.to_owned(),
        kind: kind_from_wire(spec.kind)?,
        lower: path("the lower directory", &spec.lower)?,
        mount: path("the mount point", &spec.mount)?,
        users: all_unsigned("user", &spec.users)?,
        owner: spec.owner.as_deref().map(|owner| name("owner", owner)).transpose()?.map(str::to_owned),
        passthrough: spec.passthrough,
        cache_seconds: (spec.cacheSeconds != CACHE_BY_WATCH).then_some(spec.cacheSeconds),
        watch: check_watch(&spec.watch).map_err(ControlError::Invalid)?,
    })
}

pub(super) fn volume_to_wire(volume: &VolumeConfig) -> Result<aidl::VolumeSpec> {
    Ok(aidl::VolumeSpec {
        name: volume.name.clone(),
        kind: kind_to_wire(volume.kind),
        lower: bytes_of(&volume.lower),
        mount: bytes_of(&volume.mount),
        users: all_signed("user", &volume.users)?,
        owner: volume.owner.clone(),
        passthrough: volume.passthrough,
        cacheSeconds: volume.cache_seconds.unwrap_or(CACHE_BY_WATCH),
        watch: watch_word(volume.watch).to_owned(),
    })
}

pub(super) fn volume_status_to_wire(status: &VolumeStatus) -> Result<aidl::VolumeStatus> {
    Ok(aidl::VolumeStatus {
        name: status.name.clone(),
        kind: enumerator("kind of volume", &KINDS, &status.kind)?,
        lower: status.lower.clone().into_bytes(),
        mount: status.mount.clone().into_bytes(),
        users: all_signed("user", &status.users)?,
        passthrough: status.passthrough.clone(),
        watch: status.watch.clone(),
        xattrs: status.xattrs,
        indexed: status.indexed,
        emptied: status.emptied,
    })
}

pub(super) fn volume_status_from_wire(status: aidl::VolumeStatus) -> Result<VolumeStatus> {
    let text = |bytes: Vec<u8>| {
        String::from_utf8(bytes)
            .map_err(|_| ControlError::Failed("the service sent a directory that is not UTF-8".to_owned()))
    };
    Ok(VolumeStatus {
        kind: word("kind of volume", &KINDS, status.kind)?.to_owned(),
        lower: text(status.lower)?,
        mount: text(status.mount)?,
        users: all_unsigned("user", &status.users)?,
        name: status.name,
        passthrough: status.passthrough,
        watch: status.watch,
        xattrs: status.xattrs,
        indexed: status.indexed,
        emptied: status.emptied,
    })
}

pub(super) fn package_from_wire(spec: &aidl::PackageSpec) -> Result<PackageConfig> {
    bounded("permissions", &spec.permissions)?;
    bounded("app ops", &spec.appOps)?;
    let mut app_ops = BTreeMap::new();
    for entry in &spec.appOps {
        let op = name("app op", &entry.op)?.to_owned();
        if let Some(op) = app_ops.insert(op, mode_from_wire(entry.mode)?.to_owned()).and(Some(&entry.op)) {
            return Err(ControlError::Invalid(format!("the app op {op} is given twice")));
        }
    }
    let permissions =
        spec.permissions.iter().map(|permission| Ok(name("permission", permission)?.to_owned()));
    Ok(PackageConfig {
        name: name("package's name", &spec.name)?.to_owned(),
        app_id: unsigned("app id", spec.appId)?,
        users: or_user_0(all_unsigned("user", &spec.users)?),
        target_sdk: unsigned("target SDK", spec.targetSdk)?,
        permissions: permissions.collect::<Result<_>>()?,
        app_ops,
        request_legacy_storage: spec.requestLegacyStorage,
        request_raw_access: tri_from_wire("requestRawAccess", spec.requestRawAccess)?,
        scoped_storage: tri_from_wire("scopedStorage", spec.scopedStorage)?,
        shared_uid: spec.sharedUid,
        instant: spec.instant,
    })
}

pub(super) fn package_to_wire(package: &PackageConfig) -> Result<aidl::PackageSpec> {
    let app_ops = package
        .app_ops
        .iter()
        .map(|(op, mode)| Ok(aidl::AppOp { op: op.clone(), mode: mode_to_wire(mode)? }))
        .collect::<Result<_>>()?;
    Ok(aidl::PackageSpec {
        name: package.name.clone(),
        appId: signed("app id", package.app_id)?,
        users: all_signed("user", &package.users)?,
        targetSdk: signed("target SDK", package.target_sdk)?,
        permissions: package.permissions.clone(),
        appOps: app_ops,
        requestLegacyStorage: package.request_legacy_storage,
        sharedUid: package.shared_uid,
        instant: package.instant,
        requestRawAccess: tri_to_wire(package.request_raw_access),
        scopedStorage: tri_to_wire(package.scoped_storage),
    })
}

fn tri_from_wire(what: &str, state: aidl::TriState) -> Result<Option<bool>> {
    match state {
        aidl::TriState::UNSPECIFIED => Ok(None),
        aidl::TriState::NO => Ok(Some(false)),
        aidl::TriState::YES => Ok(Some(true)),
        _ => Err(ControlError::Invalid(format!("{what} is no TriState"))),
    }
}

fn tri_to_wire(state: Option<bool>) -> aidl::TriState {
    match state {
        None => aidl::TriState::UNSPECIFIED,
        Some(false) => aidl::TriState::NO,
        Some(true) => aidl::TriState::YES,
    }
}

pub(super) fn package_status_to_wire(status: &PackageStatus) -> Result<aidl::PackageStatus> {
    Ok(aidl::PackageStatus {
        spec: package_to_wire(&status.package)?,
        uids: all_signed("uid", &status.uids)?,
        source: status.source.clone(),
    })
}

pub(super) fn package_status_from_wire(status: aidl::PackageStatus) -> Result<PackageStatus> {
    Ok(PackageStatus {
        package: package_from_wire(&status.spec)?,
        uids: all_unsigned("uid", &status.uids)?,
        source: status.source,
    })
}

pub(super) fn mode_from_wire(mode: aidl::AppOpMode) -> Result<&'static str> {
    word("app op mode", &MODES, mode)
}

pub(super) fn mode_to_wire(mode: &str) -> Result<aidl::AppOpMode> {
    enumerator("app op mode", &MODES, mode)
}

/// A time from the wire, where 0 is none.
fn time_from_wire(what: &str, seconds: i64) -> Result<Option<i64>> {
    match seconds {
        0 => Ok(None),
        ..0 => Err(ControlError::Invalid(format!("{what} {seconds} must not be negative"))),
        _ => Ok(Some(seconds)),
    }
}

pub(super) fn grant_from_wire(spec: &aidl::GrantSpec) -> Result<GrantSpec> {
    Ok(GrantSpec {
        package: name("package's name", &spec.packageName)?.to_owned(),
        user: unsigned("user", spec.user)?,
        path: path_bytes("the path", &spec.path)?,
        kind: word("kind of grant", &GRANTS, spec.kind)?.to_owned(),
        expires: time_from_wire("end", spec.expires)?,
    })
}

pub(super) fn grant_to_wire(grant: &GrantSpec) -> Result<aidl::GrantSpec> {
    if grant.expires.is_some_and(|end| end <= 0) {
        return Err(ControlError::Invalid(
            "the grant would have ended long ago; give a later time".to_owned(),
        ));
    }
    Ok(aidl::GrantSpec {
        packageName: grant.package.clone(),
        user: signed("user", grant.user)?,
        path: grant.path.clone(),
        kind: enumerator("kind of grant", &GRANTS, &grant.kind)?,
        expires: grant.expires.unwrap_or(0),
    })
}

pub(super) fn grant_status_to_wire(grant: GrantStatus) -> Result<aidl::GrantStatus> {
    Ok(aidl::GrantStatus {
        id: grant.id,
        user: signed("user", grant.user)?,
        kind: enumerator("kind of grant", &GRANTS, &grant.kind)?,
        packageName: grant.package,
        volume: grant.volume,
        path: grant.path,
        expires: grant.expires.unwrap_or(0),
        created: grant.created,
    })
}

pub(super) fn grant_status_from_wire(grant: aidl::GrantStatus) -> Result<GrantStatus> {
    Ok(GrantStatus {
        id: grant.id,
        user: unsigned("user", grant.user)?,
        kind: word("kind of grant", &GRANTS, grant.kind)?.to_owned(),
        package: grant.packageName,
        volume: grant.volume,
        path: grant.path,
        expires: time_from_wire("end", grant.expires)?,
        created: grant.created,
    })
}

pub(super) fn request_from_wire(request: &aidl::ExplainRequest) -> Result<ExplainRequest> {
    let to = request.to.as_deref().map(|to| path_bytes("the new name", to)).transpose()?;
    match (request.operation == aidl::Operation::RENAME, &to) {
        (true, None) => return Err(ControlError::Invalid("a rename needs the new name".to_owned())),
        (false, Some(_)) => {
            return Err(ControlError::Invalid("only a rename has a new name".to_owned()));
        }
        _ => {}
    }
    Ok(ExplainRequest {
        uid: unsigned("uid", request.uid)?,
        operation: word("operation", &OPERATIONS, request.operation)?.to_owned(),
        path: path_bytes("the path", &request.path)?,
        to,
    })
}

pub(super) fn request_to_wire(request: &ExplainRequest) -> Result<aidl::ExplainRequest> {
    Ok(aidl::ExplainRequest {
        uid: signed("uid", request.uid)?,
        operation: enumerator("operation", &OPERATIONS, &request.operation)?,
        path: request.path.clone(),
        to: request.to.clone(),
    })
}

pub(super) fn explanation_to_wire(answer: Explanation) -> aidl::Explanation {
    aidl::Explanation {
        allowed: answer.allowed,
        errnoName: answer.errno,
        rule: answer.rule,
        because: answer.because,
        needs: answer.needs,
        redacted: answer.redacted,
        facts: answer.facts.into_iter().map(|(name, value)| aidl::Fact { name, value }).collect(),
    }
}

pub(super) fn explanation_from_wire(answer: aidl::Explanation) -> Explanation {
    Explanation {
        allowed: answer.allowed,
        errno: answer.errnoName,
        rule: answer.rule,
        because: answer.because,
        needs: answer.needs,
        redacted: answer.redacted,
        facts: answer.facts.into_iter().map(|fact| (fact.name, fact.value)).collect(),
    }
}

pub(super) fn stat_to_wire(stat: Stat) -> aidl::Stat {
    aidl::Stat { name: stat.name, value: stat.value, gauge: stat.gauge }
}

pub(super) fn stat_from_wire(stat: aidl::Stat) -> Stat {
    Stat { name: stat.name, value: stat.value, gauge: stat.gauge }
}

#[cfg(test)]
mod tests {
    use super::super::field::{LIST_MAX, NAME_MAX, PATH_MAX};
    use super::*;

    fn spec() -> aidl::VolumeSpec {
        aidl::VolumeSpec {
            name: "v".to_owned(),
            lower: b"/lower/\xff".to_vec(),
            mount: b"/mount".to_vec(),
            ..Default::default()
        }
    }

    fn refused<T: std::fmt::Debug>(result: Result<T>, about: &str) {
        match result {
            Err(ControlError::Invalid(message)) => assert!(message.contains(about), "{message}"),
            other => panic!("expected a refusal about {about}, got {other:?}"),
        }
    }

    #[test]
    fn volumes_survive_the_wire_with_paths_that_are_not_utf8() {
        let volume = volume_from_wire(&spec()).unwrap();
        assert_eq!(volume.lower.as_os_str().as_bytes(), b"/lower/\xff");
        assert!(volume.passthrough);
        assert_eq!((volume.cache_seconds, volume.watch), (None, WatchConfig::Auto));
        let again = volume_from_wire(&volume_to_wire(&volume).unwrap()).unwrap();
        assert_eq!(again, volume);
    }

    #[test]
    fn hostile_fields_are_refused_by_name() {
        let with = |change: fn(&mut aidl::VolumeSpec)| {
            let mut spec = spec();
            change(&mut spec);
            volume_from_wire(&spec)
        };
        refused(with(|s| s.lower = b"relative".to_vec()), "lower directory");
        refused(with(|s| s.mount = vec![]), "mount point");
        refused(with(|s| s.mount = b"/a\0b".to_vec()), "NUL");
        refused(with(|s| s.mount = [b"/".as_slice(), &[b'x'; PATH_MAX]].concat()), "longer");
        refused(with(|s| s.name = String::new()), "empty");
        refused(with(|s| s.name = "x".repeat(NAME_MAX + 1)), "longer");
        refused(with(|s| s.name = "a\nb".to_owned()), "control");
        refused(with(|s| s.users = vec![-1]), "negative");
        refused(with(|s| s.users = vec![0; LIST_MAX + 1]), "more than");
        refused(with(|s| s.kind = aidl::VolumeKind(7)), "kind of volume 7");
    }

    #[test]
    fn packages_survive_the_wire() {
        let package = PackageConfig {
            name: "com.example.camera".to_owned(),
            app_id: 10_101,
            users: vec![0, 10],
            target_sdk: 33,
            permissions: vec!["READ_MEDIA_IMAGES".to_owned()],
            app_ops: [("MANAGE_EXTERNAL_STORAGE".to_owned(), "allow".to_owned())].into(),
            request_legacy_storage: true,
            request_raw_access: Some(false),
            scoped_storage: Some(true),
            shared_uid: true,
            instant: true,
        };
        let again = package_from_wire(&package_to_wire(&package).unwrap()).unwrap();
        assert_eq!(again, package);
    }

    #[test]
    fn hostile_packages_are_refused() {
        let spec = || aidl::PackageSpec { name: "p".to_owned(), ..Default::default() };
        assert_eq!(package_from_wire(&spec()).unwrap().users, [0]);
        refused(package_from_wire(&aidl::PackageSpec { appId: -5, ..spec() }), "-5");
        refused(
            package_from_wire(&aidl::PackageSpec { requestRawAccess: aidl::TriState(9), ..spec() }),
            "TriState",
        );
        let op = || aidl::AppOp { op: "X".to_owned(), mode: aidl::AppOpMode::ALLOW };
        refused(package_from_wire(&aidl::PackageSpec { appOps: vec![op(), op()], ..spec() }), "twice");
        let odd = aidl::AppOp { op: "X".to_owned(), mode: aidl::AppOpMode(9) };
        refused(package_from_wire(&aidl::PackageSpec { appOps: vec![odd], ..spec() }), "mode");
    }

    #[test]
    fn a_rename_and_only_a_rename_has_a_new_name() {
        let request = |operation, to: Option<&[u8]>| aidl::ExplainRequest {
            uid: 1,
            operation,
            path: b"/p".to_vec(),
            to: to.map(<[u8]>::to_vec),
        };
        assert!(request_from_wire(&request(aidl::Operation::RENAME, Some(b"/q"))).is_ok());
        refused(request_from_wire(&request(aidl::Operation::RENAME, None)), "needs");
        refused(request_from_wire(&request(aidl::Operation::READ, Some(b"/q"))), "only");
        refused(request_from_wire(&request(aidl::Operation(99), None)), "operation");
    }

    #[test]
    fn every_operation_has_its_word() {
        for (word_, operation) in OPERATIONS {
            assert_eq!(enumerator("operation", &OPERATIONS, word_).unwrap(), operation);
            assert_eq!(word("operation", &OPERATIONS, operation).unwrap(), word_);
        }
        assert_eq!(OPERATIONS.len(), aidl::Operation::enum_values().len());
        assert_eq!(MODES.len(), aidl::AppOpMode::enum_values().len());
        refused(enumerator("operation", &OPERATIONS, "chmod"), "one of lookup, getattr");
    }
}
