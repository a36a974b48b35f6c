//! Each method through the socket: its rights, its data, its errors; and starting and stopping.

use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;

use mediagate::binder::{BinderError, Client, ClientError, serve};
use mediagate::control::store::{
    ChangeNotice, InsertSpec, MediaChanges, MediaGrouping, MediaQuery, MediaResult, NoticeKind, OpenMode,
};
use mediagate::control::{ControlError, ExplainRequest, GrantSpec};

use crate::fake::{ADMIN, APP, Fake, OTHER, as_uid, package, volume};
use crate::methods::methods;
use crate::service::Service;

fn question(uid: u32) -> ExplainRequest {
    ExplainRequest {
        uid,
        operation: "read".to_owned(),
        path: b"/storage/emulated/0/DCIM/\xff.jpg".to_vec(),
        to: None,
    }
}

fn grant(package: &str, path: &[u8]) -> GrantSpec {
    GrantSpec {
        package: package.to_owned(),
        user: 0,
        path: path.to_vec(),
        kind: "read".to_owned(),
        expires: None,
    }
}

/// A descriptor that what is said can be read from.
fn pipe(said: &str) -> OwnedFd {
    let (reads, writes) = nix::unistd::pipe().unwrap();
    std::fs::File::from(writes).write_all(said.as_bytes()).unwrap();
    reads
}

/// Every call that takes an administrator, by name.
fn administer(client: &Client) -> Vec<(&'static str, Result<(), ClientError>)> {
    vec![
        ("listVolumes", client.volumes().map(drop)),
        ("attachVolume", client.attach_volume(&volume("a"))),
        ("detachVolume", client.detach_volume("a")),
        ("startSession", client.start_session("public:7,1", pipe("x"), Path::new("/u"), Path::new("/l"))),
        ("endSession", client.end_session("public:7,1")),
        ("volumeStateChanged", client.volume_state_changed("public:7,1", 2)),
        ("bindPrivateStorage", client.bind_private_storage(pipe("x"), APP)),
        ("freeCache", client.free_cache().map(drop)),
        ("installPackage", client.install_package(&package("com.example.new", 10_200))),
        ("clearPackage", client.clear_package("com.example.new")),
        ("removePackage", client.remove_package("com.example.new")),
        ("maintain", client.maintain().map(drop)),
        ("maintenanceProgress", client.maintenance().map(drop)),
        ("cancelMaintenance", client.cancel_maintenance()),
        ("setPermission", client.set_permission("com.example.camera", "READ_MEDIA_IMAGES", false)),
        ("setAppOp", client.set_app_op("com.example.camera", "MANAGE_EXTERNAL_STORAGE", "allow")),
        ("addGrant", client.add_grant(&grant("com.example.camera", b"/f"))),
        ("removeGrant", client.remove_grants("com.example.camera", 0, Some(b"/f")).map(drop)),
        ("removeGrant of all", client.remove_grants("com.example.camera", 0, None).map(drop)),
        ("explain of another", client.explain(&question(OTHER)).map(drop)),
        ("scan of everything", client.scan(None).map(drop)),
        ("scanProgress", client.scans().map(drop)),
        ("cancelScan", client.cancel_scan("v", 1)),
        ("redactedPath for another user's", client.redacted_path(b"/f", Some(("p", 4000))).map(drop)),
        ("stats", client.stats().map(drop)),
        ("dumpState", client.dump().map(drop)),
    ]
}

/// What everybody may call; what an app gets of it has tests of its own.
const FOR_ALL: [&str; 6] = ["listPackages", "listGrants", "scan", "redactedPath", "explain", "mediaStore"];

#[test]
fn no_method_is_forgotten_here() {
    let service = Service::start().with_apps();
    let administered = administer(&service.client());
    let first_word = |name: &str| name.split(' ').next().unwrap().to_owned();
    let known = administered.iter().map(|(name, _)| first_word(name)).chain(FOR_ALL.map(str::to_owned));
    let known: std::collections::BTreeSet<String> = known.collect();
    assert_eq!(known, methods("IMediagate").into_iter().collect());
}

#[test]
fn the_store_is_everybody_s_and_acts_for_who_calls() {
    let service = Service::start().with_apps();
    for uid in [APP, OTHER, ADMIN, 0] {
        as_uid(uid, || {
            let client = service.client();
            let store = client.store().unwrap();
            let query = MediaQuery::default();
            assert_eq!(store.query(&query).unwrap().items[0].path, b"/storage/emulated/0/DCIM/\xff.jpg");
            assert_eq!(store.count(&query).unwrap(), 1);
            let nowhere = MediaQuery { volume: Some("none".to_owned()), ..MediaQuery::default() };
            let error = store.count(&nowhere);
            assert!(matches!(error, Err(ClientError::Failed(ControlError::NotFound(_)))), "{error:?}");
            assert_eq!(store.groups(&query, MediaGrouping::Album, 0).unwrap(), []);
            let spec = InsertSpec { display_name: Some(b"\xfe".to_vec()), ..InsertSpec::default() };
            assert_eq!(store.insert(&spec).unwrap().display_name, b"\xfe");
            let results = [MediaResult::Done, MediaResult::NotFound];
            assert_eq!(store.update(&[7, 9], &MediaChanges::default()).unwrap(), results);
            assert_eq!(store.remove(&[7, 9]).unwrap(), results);
            assert_eq!(store.playlist(7, None).unwrap().items, []);
            assert_eq!(store.changes(&query, 5).unwrap().generation, 5);
            assert_eq!(store.version().unwrap(), (3, 4));
            let mut said = String::new();
            let mut file = std::fs::File::from(store.open(7, OpenMode::default()).unwrap());
            std::io::Read::read_to_string(&mut file, &mut said).unwrap();
            assert_eq!(said, format!("for {uid}"));
        });
        let calls = ["insert", "update", "remove", "playlist"].map(|what| format!("{what} for {uid}"));
        assert_eq!(service.state().calls.split_off(service.state().calls.len() - calls.len()), calls);
    }
}

#[test]
fn an_observer_is_told() {
    let service = Service::start().with_apps();
    for uid in [APP, 0] {
        let heard = as_uid(uid, || {
            let mut heard = Vec::new();
            let client = service.client();
            let store = client.store().unwrap();
            let all = |told| {
                heard.push(told);
                false
            };
            let begun = || {
                if uid == 0 {
                    let dump = client.dump().unwrap();
                    assert!(dump.contains("\n  0: 1, of which 0 "), "{dump}");
                }
            };
            store.watch(&MediaQuery::default(), begun, all).unwrap();
            heard
        });
        let notice = ChangeNotice { kind: NoticeKind::Added, volume: "v".to_owned(), id: 7, generation: 3 };
        assert_eq!(heard, [(vec![notice], 0)], "{uid}");
    }
}

#[test]
fn administrators_may_call_everything() {
    for uid in [0, ADMIN] {
        let service = Service::start().with_apps();
        for (method, result) in as_uid(uid, || administer(&service.client())) {
            assert!(result.is_ok(), "{method} as {uid}: {result:?}");
        }
    }
}

#[test]
fn apps_may_administer_nothing() {
    let service = Service::start().with_apps();
    for (method, result) in as_uid(APP, || administer(&service.client())) {
        assert!(matches!(result, Err(ClientError::Denied(_))), "{method}: {result:?}");
    }
    assert!(service.state().calls.is_empty(), "a denied call reached the service");
    assert!(service.state().volumes.is_empty());
    assert!(service.state().grants.is_empty());
}

#[test]
fn an_app_may_have_a_file_scanned_as_itself() {
    let service = Service::start().with_apps();
    let scans = as_uid(APP, || service.client().scan(Some(b"/storage/emulated/0/DCIM/\xff.jpg"))).unwrap();
    assert_eq!((scans.len(), scans[0].path.as_slice()), (1, &b"/storage/emulated/0/DCIM/\xff.jpg"[..]));
    assert_eq!(service.state().calls, [format!("scan for {APP}")]);
}

#[test]
fn an_app_sees_its_own_grants_only() {
    let service = Service::start().with_apps();
    let client = service.client();
    client.add_grant(&grant("com.example.camera", b"/mine")).unwrap();
    client.add_grant(&grant("com.example.gallery", b"/theirs")).unwrap();
    client.add_grant(&GrantSpec { user: 10, ..grant("com.example.camera", b"/of user 10") }).unwrap();
    let paths = |uid, package: Option<&str>| -> Vec<String> {
        let grants = as_uid(uid, || service.client().grants(package).unwrap());
        grants.into_iter().map(|it| String::from_utf8(it.path).unwrap()).collect()
    };
    assert_eq!(paths(APP, None), ["/mine"]);
    assert_eq!(paths(APP, Some("com.example.camera")), ["/mine"]);
    assert_eq!(paths(APP, Some("com.example.gallery")), [""; 0]);
    assert_eq!(paths(99_999, None), [""; 0]);
    assert_eq!(paths(0, None), ["/mine", "/theirs", "/of user 10"]);
    assert_eq!(paths(ADMIN, Some("com.example.camera")), ["/mine", "/of user 10"]);
}

#[test]
fn long_lists_of_grants_come_in_pages() {
    let service = Service::start().with_apps();
    let client = service.client();
    // The longest paths there are, so that a page is as long as one can be.
    let path = |n: u32| [format!("/{n:05}").as_bytes(), &[b'\xff'; 4090]].concat();
    for n in 0..300 {
        client.add_grant(&grant("com.example.camera", &path(n))).unwrap();
    }
    let listed = client.grants(None).unwrap();
    assert!(listed.into_iter().map(|it| it.path).eq((0..300).map(path)));
}

#[test]
fn grants_survive_the_wire_and_what_makes_no_sense_does_not() {
    let service = Service::start().with_apps();
    let client = service.client();
    let mut kinds = Vec::new();
    for (kind, expires) in [("read", None), ("write", Some(1)), ("selected", Some(i64::MAX))] {
        let sent = GrantSpec { kind: kind.to_owned(), expires, ..grant("com.example.camera", b"/\xff\n") };
        client.add_grant(&sent).unwrap();
        kinds.push((sent.path, sent.kind, sent.expires));
    }
    let listed = client.grants(None).unwrap().into_iter();
    assert!(listed.map(|it| (it.path, it.kind, it.expires)).eq(kinds));
    assert_eq!(client.remove_grants("com.example.camera", 0, None).unwrap(), 3);

    let failed = |result: Result<(), ClientError>| match result {
        Err(ClientError::Failed(error)) => error,
        other => panic!("expected an error of the service, got {other:?}"),
    };
    let invalid = |spec: &GrantSpec| matches!(failed(client.add_grant(spec)), ControlError::Invalid(_));
    let good = || grant("com.example.camera", b"/f");
    assert!(invalid(&grant("com.example.camera", b"relative")));
    assert!(invalid(&grant("", b"/f")));
    assert!(invalid(&GrantSpec { kind: "execute".to_owned(), ..good() }));
    assert!(invalid(&GrantSpec { expires: Some(-1), ..good() }));
    assert!(invalid(&GrantSpec { user: u32::MAX, ..good() }));
    assert!(matches!(failed(client.add_grant(&grant("com.example.none", b"/f"))), ControlError::NotFound(_)));
    assert!(matches!(
        failed(client.add_grant(&grant("com.example.camera", b"/full"))),
        ControlError::Failed(_)
    ));
    let nothing = client.remove_grants("com.example.camera", 0, Some(b"/f")).map(drop);
    assert!(matches!(failed(nothing), ControlError::NotFound(_)));
    let relative = client.remove_grants("com.example.camera", 0, Some(b"f")).map(drop);
    assert!(matches!(failed(relative), ControlError::Invalid(_)));
}

#[test]
fn an_app_sees_its_own_packages_only() {
    let service = Service::start().with_apps();
    let names = |uid| -> Vec<String> {
        let packages = as_uid(uid, || service.client().packages().unwrap());
        packages.into_iter().map(|p| p.package.name).collect()
    };
    assert_eq!(names(APP), ["com.example.camera"]);
    assert_eq!(names(OTHER), ["com.example.gallery"]);
    assert_eq!(names(99_999), [""; 0]);
    assert_eq!(names(0), ["com.example.camera", "com.example.gallery"]);
}

#[test]
fn an_app_may_ask_about_itself_and_learns_nothing_of_others() {
    let service = Service::start().with_apps();
    let answer = as_uid(APP, || service.client().explain(&question(APP)).unwrap());
    assert_eq!((answer.errno.as_str(), answer.facts.len()), ("EACCES", 0));
    let answer = service.client().explain(&question(APP)).unwrap();
    assert_eq!(answer.facts.len(), 1);
    let path = format!("{:?}", question(APP).path);
    assert!(service.state().calls[0].ends_with(&path), "the path came byte for byte");
}

#[test]
fn data_arrives_as_it_was_sent() {
    let service = Service::start();
    let client = service.client();
    client.attach_volume(&volume("external_primary")).unwrap();
    assert_eq!(service.state().volumes, [volume("external_primary")]);
    let volumes = client.volumes().unwrap();
    assert_eq!((volumes[0].name.as_str(), volumes[0].indexed), ("external_primary", false));

    let sent = package("com.example.camera", APP);
    client.install_package(&sent).unwrap();
    let packages = client.packages().unwrap();
    assert_eq!(packages[0].package, sent);
    assert_eq!((packages[0].uids.as_slice(), packages[0].source.as_str()), (&[APP][..], "runtime"));

    let stats = client.stats().unwrap();
    assert_eq!((stats[0].value, stats[1].gauge), (42, true));
    let dump = client.dump().unwrap();
    assert!(dump.ends_with("volumes: 0\n"), "{dump}");
    let of_the_call = dump.lines().find(|it| it.trim_start().starts_with("IMediagate.dumpState uid=0 "));
    assert!(of_the_call.is_some(), "{dump}");
}

#[test]
fn a_session_s_descriptor_arrives_with_its_paths() {
    for uid in [0, ADMIN] {
        let service = Service::start();
        as_uid(uid, || {
            let (upper, lower) = (Path::new("/mnt/\u{e4}"), Path::new("/data/media"));
            let client = service.client();
            client.start_session("emulated;0", pipe("of the device"), upper, lower).unwrap();
            for state in 0..=8 {
                client.volume_state_changed("emulated;0", state).unwrap();
            }
            client.end_session("emulated;0").unwrap();
            assert_eq!(client.free_cache().unwrap(), 4096);
        });
        let calls = service.state().calls;
        assert_eq!(calls[0], "session emulated;0 \"of the device\" \"/mnt/\u{e4}\" \"/data/media\"");
        let states: Vec<&str> = calls[1..10].iter().map(|it| it.rsplit(' ').next().unwrap()).collect();
        let [gone, checking, mounted] = ["Leaving", "Checking", "Mounted"];
        assert_eq!(states, [gone, checking, mounted, mounted, gone, gone, gone, gone, gone]);
        assert_eq!(calls[10..], ["end emulated;0", "free cache"]);
    }
}

#[test]
fn a_mount_namespace_arrives_with_its_uid() {
    let service = Service::start();
    let client = service.client();
    let own = || OwnedFd::from(std::fs::File::open("/proc/self/ns/mnt").unwrap());
    client.bind_private_storage(own(), APP).unwrap();
    let unknown = client.bind_private_storage(own(), OTHER);
    assert!(matches!(unknown, Err(ClientError::Failed(ControlError::NotFound(_)))), "{unknown:?}");
    assert!(client.bind_private_storage(own(), u32::MAX).is_err(), "no uid");
    let link = std::fs::read_link("/proc/self/ns/mnt").unwrap();
    let of = |uid| format!("private {uid} {}", link.display());
    assert_eq!(service.state().calls, [of(APP), of(OTHER)]);
}

#[test]
fn a_session_that_makes_no_sense_is_none() {
    let service = Service::start();
    let client = service.client();
    let start = |id: &str, upper: &str, lower: &str| match client.start_session(
        id,
        pipe("x"),
        Path::new(upper),
        Path::new(lower),
    ) {
        Err(ClientError::Failed(error)) => error,
        other => panic!("expected an error of the service, got {other:?}"),
    };
    for (id, upper, lower) in
        [("", "/u", "/l"), ("public:7,1", "u", "/l"), ("public:7,1", "/u", "l"), ("a\nb", "/u", "/l")]
    {
        assert!(matches!(start(id, upper, lower), ControlError::Invalid(_)), "{id:?} {upper} {lower}");
    }
    let state = client.volume_state_changed("emulated;0", 9);
    assert!(matches!(state, Err(ClientError::Failed(ControlError::Invalid(_)))), "{state:?}");
    assert!(matches!(client.end_session("none"), Err(ClientError::Failed(ControlError::NotFound(_)))));
    assert_eq!(service.state().calls, ["end none"]);
}

#[test]
fn long_package_lists_come_in_pages() {
    let service = Service::start();
    let names: Vec<String> = (0..300).map(|n| format!("com.example.p{n:03}")).collect();
    service.set_packages(names.iter().rev().map(|name| package(name, APP)).collect());
    let listed = service.client().packages().unwrap();
    assert!(listed.iter().map(|p| &p.package.name).eq(&names));
}

#[test]
fn each_error_keeps_its_kind_and_its_words() {
    let service = Service::start().with_apps();
    let client = service.client();
    let failed = |result: Result<(), ClientError>| match result {
        Err(ClientError::Failed(error)) => error,
        other => panic!("expected an error of the service, got {other:?}"),
    };
    client.attach_volume(&volume("a")).unwrap();
    assert!(
        matches!(failed(client.attach_volume(&volume("a"))), ControlError::AlreadyExists(m) if m.contains("volume a"))
    );
    assert!(
        matches!(failed(client.attach_volume(&volume("broken"))), ControlError::Failed(m) if m == "cannot mount")
    );
    assert!(matches!(failed(client.detach_volume("b")), ControlError::NotFound(m) if m.contains("volume b")));
    assert!(matches!(
        failed(client.set_app_op("com.example.camera", "NONSENSE", "allow")),
        ControlError::Invalid(_)
    ));
    // Refused by the conversion, at the service and before the wire.
    assert!(matches!(failed(client.remove_package("")), ControlError::Invalid(m) if m.contains("empty")));
    assert!(
        matches!(failed(client.set_app_op("x", "y", "maybe")), ControlError::Invalid(m) if m.contains("ignore"))
    );
    let huge = ExplainRequest { path: [b"/".as_slice(), &[b'x'; 5000]].concat(), ..question(APP) };
    assert!(
        matches!(failed(client.explain(&huge).map(drop)), ControlError::Invalid(m) if m.contains("4096"))
    );
}

#[test]
fn the_socket_is_open_to_all_and_gone_when_served_no_more() {
    let mut service = Service::on_socket();
    let meta = std::fs::metadata(&service.socket).unwrap();
    assert_eq!(meta.permissions().mode() & 0o777, 0o666);
    let parent = std::fs::metadata(service.socket.parent().unwrap()).unwrap();
    assert_eq!(parent.permissions().mode() & 0o777, 0o755);
    let client = service.client();
    service.serving = None;
    assert!(!service.socket.exists());
    assert!(matches!(client.stats(), Err(ClientError::Lost { .. })));
    assert!(matches!(Client::connect(&service.uri), Err(ClientError::Unreachable { .. })));
}

#[test]
fn a_socket_of_a_killed_run_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(std::fs::symlink_metadata(&path).unwrap().file_type().is_socket());
    let uri = format!("unix://{}", path.display());
    let _serving = serve(std::slice::from_ref(&uri), Arc::new(Fake::default())).unwrap();
    assert!(Client::connect(&uri).unwrap().stats().is_ok());
}

#[test]
fn nothing_else_is_ever_replaced() {
    let service = Service::on_socket();
    let again = serve(std::slice::from_ref(&service.uri), Arc::new(Fake::default()));
    assert!(matches!(again, Err(BinderError::InUse(_))));
    assert!(service.client().stats().is_ok(), "the one that was there still answers");

    let file = service.dir().join("file");
    std::fs::write(&file, "precious").unwrap();
    let over = serve(&[format!("unix://{}", file.display())], Arc::new(Fake::default()));
    assert!(matches!(over, Err(BinderError::NotASocket(_))));
    let link = service.dir().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let over = serve(&[format!("unix://{}", link.display())], Arc::new(Fake::default()));
    assert!(matches!(over, Err(BinderError::NotASocket(_))));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn all_addresses_are_served_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| format!("unix://{}", dir.path().join(name).display());
    let both = serve(&[at("a"), at("b")], Arc::new(Fake::default())).unwrap();
    assert_eq!((both.addresses(), both.sockets().count()), (2, 4));
    assert!(Client::connect(&at("b")).unwrap().stats().is_ok());
    drop(both);
    assert!(matches!(
        serve(&[at("a"), "tcp://x".to_owned()], Arc::new(Fake::default())),
        Err(BinderError::Address(_))
    ));
    assert!(!dir.path().join("a").exists());
}

#[test]
fn kernel_binder_says_what_is_missing() {
    if Path::new("/dev/binder").exists() || Path::new("/dev/binderfs/binder").exists() {
        return;
    }
    let error = serve(&["binder://mediagate".to_owned()], Arc::new(Fake::default())).unwrap_err();
    assert!(matches!(error, BinderError::NoDriver(_)));
    assert!(error.to_string().contains("binder_linux"), "{error}");
    let error = Client::connect("binder://mediagate").unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
}
