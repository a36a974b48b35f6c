//! Scans of a running service: what they mend, what they leave alone, who may ask for them; and facts that come by
//! themselves when a file is written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mediagate::binder::{Client, ClientError};
use mediagate::catalog::{Catalog, Criteria, Entry, Holder, Projection, Query, Scope, Sort};
use mediagate::config::WatchConfig;
use mediagate::observe::Observer;
use mediagate_policy::Filter;
use mediagate_tests::{Package, World, as_app};
use nix::sys::signal::Signal;
use serde_json::Value;

const CAMERA: u32 = 10101;
const OTHER: u32 = 10103;

fn packages() -> [Package; 2] {
    [Package::new("com.example.camera", CAMERA), Package::new("com.example.other", OTHER)]
}

/// Nobody but the scan looks for what changes behind the mount.
fn unwatched() -> World {
    let mut world = World::new(&packages());
    world.config.volumes[0].watch = WatchConfig::Off;
    world.start();
    world
}

/// Everything the catalog has, by path, read from its own file after an orderly stop.
fn entries(world: &mut World) -> BTreeMap<String, Entry> {
    assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
    let catalog = Catalog::open(&world.config.service.state_dir, Arc::new(Observer::default())).unwrap();
    let volume = catalog.volumes().unwrap().into_iter().find(|it| it.name == "external_primary").unwrap().key;
    let query = Query {
        scopes: vec![Scope { volume, user: 0, visible: Filter::Everything }],
        holder: Holder::default(),
        criteria: Criteria::default(),
        sort: Sort::default(),
        descending: false,
        limit: None,
        after: None,
        projection: Projection { media: true, location: true },
    };
    let found = catalog.query(&query).unwrap().entries;
    catalog.close();
    let path = |entry: &Entry| {
        let path = Path::new(std::str::from_utf8(&entry.key.dir).unwrap());
        path.join(std::str::from_utf8(&entry.key.name).unwrap()).to_str().unwrap().to_owned()
    };
    found.into_iter().map(|entry| (path(&entry), entry)).collect()
}

/// A PNG of these sides, without a picture in it.
fn png(width: u32, height: u32) -> Vec<u8> {
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let end = [0, 0, 0, 0, b'I', b'E', b'N', b'D', 0, 0, 0, 0];
    [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", sides.as_slice(), b"\x08\0\0\0\0crc!", &end].concat()
}

fn scan(world: &mut World, path: &str) -> Value {
    let answer = world.daemon().cli(&["scan", path, "--json"]);
    serde_json::from_str::<Vec<Value>>(&answer).unwrap().remove(0)
}

fn sides(entry: &Entry) -> (Option<u32>, Option<u32>) {
    entry.media.as_ref().map_or((None, None), |media| (media.width, media.height))
}

#[test]
fn what_changed_behind_the_mount_is_mended_on_demand() {
    let mut world = unwatched();
    world.daemon().wait_until_indexed();
    std::fs::write(world.lower("DCIM/a.png"), png(3, 4)).unwrap();
    std::fs::create_dir_all(world.lower("Download/x/y")).unwrap();
    std::fs::write(world.lower("Download/x/y/b.png"), png(5, 6)).unwrap();
    std::fs::write(world.lower("Download/c.txt"), b"text").unwrap();
    let mount = world.shared("").to_str().unwrap().trim_end_matches('/').to_owned();
    let first = scan(&mut world, &mount);
    assert_eq!((&first["added"], &first["read"]), (&3.into(), &2.into()), "{first}");

    std::fs::write(world.lower("DCIM/a.png"), png(30, 40)).unwrap();
    std::fs::remove_dir_all(world.lower("Download/x")).unwrap();
    let second = scan(&mut world, &mount);
    assert_eq!((&second["changed"], &second["removed"], &second["read"]), (&1.into(), &1.into(), &1.into()));
    let third = scan(&mut world, &mount);
    let did: Vec<_> = ["added", "changed", "removed", "read"].iter().map(|it| third[*it].as_u64()).collect();
    assert_eq!(did, [Some(0); 4], "{third}");

    let entries = entries(&mut world);
    assert_eq!(entries.keys().collect::<Vec<_>>(), ["DCIM/a.png", "Download/c.txt"]);
    assert_eq!(sides(&entries["DCIM/a.png"]), (Some(30), Some(40)));
}

/// What was below the directory is gone, though its path leads to something.
#[test]
fn a_file_can_be_where_a_directory_was() {
    let mut world = unwatched();
    world.daemon().wait_until_indexed();
    std::fs::create_dir_all(world.lower("Download/x/y")).unwrap();
    for name in ["Download/x/a.png", "Download/x/y/b.png", "Download/x.png"] {
        std::fs::write(world.lower(name), png(1, 2)).unwrap();
    }
    let place = world.shared("Download/x").to_str().unwrap().to_owned();
    assert_eq!(scan(&mut world, &place)["added"], 2);
    std::fs::remove_dir_all(world.lower("Download/x")).unwrap();
    std::fs::write(world.lower("Download/x"), b"text").unwrap();
    let second = scan(&mut world, &place);
    assert_eq!((&second["added"], &second["removed"]), (&1.into(), &2.into()), "{second}");
    assert_eq!(entries(&mut world).keys().collect::<Vec<_>>(), ["Download/x"]);
}

#[test]
fn a_part_can_be_scanned_and_the_rest_is_left() {
    let mut world = unwatched();
    world.daemon().wait_until_indexed();
    for name in ["DCIM/a.png", "Pictures/b.png", "Pictures/c.png"] {
        std::fs::write(world.lower(name), png(1, 2)).unwrap();
    }
    let dir = world.shared("Pictures").to_str().unwrap().to_owned();
    assert_eq!(scan(&mut world, &dir)["added"], 2);
    let file = world.shared("DCIM/a.png").to_str().unwrap().to_owned();
    let one = scan(&mut world, &file);
    assert_eq!((&one["added"], &one["read"], &one["files"]), (&1.into(), &1.into(), &1.into()));
    std::fs::remove_file(world.lower("DCIM/a.png")).unwrap();
    assert_eq!(scan(&mut world, &file)["removed"], 1);
    // Nothing of a scan goes on when it is over: who reads on would find the file gone before the next scan does.
    for _ in 0..8 {
        std::fs::write(world.lower("DCIM/a.png"), png(1, 2)).unwrap();
        let there = scan(&mut world, &file);
        assert_eq!((&there["added"], &there["read"]), (&1.into(), &1.into()));
        std::fs::remove_file(world.lower("DCIM/a.png")).unwrap();
        assert_eq!(scan(&mut world, &file)["removed"], 1);
    }
    let entries = entries(&mut world);
    assert_eq!(entries.keys().collect::<Vec<_>>(), ["Pictures/b.png", "Pictures/c.png"]);
    assert_eq!(sides(&entries["Pictures/b.png"]), (Some(1), Some(2)));
}

#[test]
fn types_of_known_files_follow_the_rules() {
    let mut world = unwatched();
    std::fs::create_dir_all(world.lower("Download/album")).unwrap();
    for name in ["Download/album/a.png", "Download/album/folder.jpg", "Download/b.png"] {
        std::fs::write(world.lower(name), png(1, 2)).unwrap();
    }
    let mount = world.shared("Download").to_str().unwrap().to_owned();
    scan(&mut world, &mount);
    std::fs::write(world.lower("Download/album/.nomedia"), b"").unwrap();
    // Here it counts for nothing.
    std::fs::write(world.lower("Download/.nomedia"), b"").unwrap();
    assert_eq!(scan(&mut world, &mount)["changed"], 1, "the picture below .nomedia");
    std::fs::remove_file(world.lower("Download/album/.nomedia")).unwrap();
    assert_eq!(scan(&mut world, &mount)["changed"], 1, "and back");
    let entries = entries(&mut world);
    let types: Vec<_> = entries.iter().map(|(path, it)| (path.as_str(), it.row.media_type)).collect();
    let expected = [
        ("Download/.nomedia", 0),
        ("Download/album/a.png", 1),
        ("Download/album/folder.jpg", 0),
        ("Download/b.png", 1),
    ];
    assert_eq!(types, expected);
}

#[test]
fn a_writer_that_closes_has_the_facts_read() {
    let mut world = unwatched();
    world.daemon().wait_until_indexed();
    let file = world.shared("DCIM/new.png");
    as_app(CAMERA, move || {
        std::fs::write(&file, png(7, 8)).unwrap();
        // And once more, for the second one to count.
        std::fs::write(&file, png(70, 80)).unwrap();
    });
    let begin = Instant::now();
    while world.daemon().stat("scan.facts_read") == 0 {
        assert!(begin.elapsed() < Duration::from_secs(20), "the facts were not read");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(sides(&entries(&mut world)["DCIM/new.png"]), (Some(70), Some(80)));
}

#[test]
fn damage_is_counted_and_costs_the_file_only() {
    let mut world = unwatched();
    std::fs::write(world.lower("DCIM/bad.png"), &png(7, 8)[..30]).unwrap();
    std::fs::write(world.lower("DCIM/good.png"), png(9, 10)).unwrap();
    let dir = world.shared("DCIM").to_str().unwrap().to_owned();
    let done = scan(&mut world, &dir);
    assert_eq!((&done["phase"], &done["failed"]), (&"done".into(), &0.into()), "{done}");
    assert!(world.daemon().stat("scan.facts_incomplete") >= 1);
    let entries = entries(&mut world);
    assert_eq!(sides(&entries["DCIM/good.png"]), (Some(9), Some(10)));
    // What it said before the damage.
    assert_eq!(sides(&entries["DCIM/bad.png"]), (Some(7), Some(8)));
}

#[test]
fn an_emptied_tree_keeps_its_rows_until_somebody_insists() {
    let mut world = unwatched();
    std::fs::write(world.lower("DCIM/a.png"), png(1, 2)).unwrap();
    let mount = world.shared("").to_str().unwrap().trim_end_matches('/').to_owned();
    scan(&mut world, &mount);
    world.daemon().stop(Signal::SIGTERM);
    std::fs::remove_file(world.lower("DCIM/a.png")).unwrap();
    world.start();
    let begin = Instant::now();
    let emptied = |world: &mut World| {
        let volumes: Vec<Value> =
            serde_json::from_str(&world.daemon().cli(&["volume", "list", "--json"])).unwrap();
        (volumes[0]["emptied"] == true, volumes[0]["indexed"] == true)
    };
    while emptied(&mut world) != (true, false) {
        assert!(begin.elapsed() < Duration::from_secs(20), "the volume does not say that it is empty");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(scan(&mut world, &mount)["removed"], 1);
    assert_eq!(emptied(&mut world), (false, true));
    assert!(entries(&mut world).is_empty());
}

#[test]
fn an_app_may_have_its_own_file_scanned_and_nothing_else() {
    let mut world = unwatched();
    world.daemon().wait_until_indexed();
    let (file, dir) = (world.shared("DCIM/mine.png"), world.shared("DCIM"));
    let written = file.clone();
    as_app(CAMERA, move || std::fs::write(written, png(1, 2)).unwrap());
    let address = world.daemon().address().to_owned();
    let ask = |uid: u32, path: Option<&Path>| {
        let path = path.map(|path| path.to_str().unwrap().as_bytes().to_vec());
        let address = address.clone();
        as_app(uid, move || {
            let client = Client::connect(&address).unwrap();
            match client.scan(path.as_deref()) {
                Ok(scans) => Ok((scans[0].files, scans[0].phase.clone())),
                Err(ClientError::Denied(_)) => Err("denied".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        })
    };
    assert_eq!(ask(CAMERA, Some(&file)), Ok((1, "done".to_owned())));
    // As if it were not there.
    assert_eq!(ask(OTHER, Some(&file)), Ok((0, "done".to_owned())));
    assert!(ask(CAMERA, Some(&dir)).unwrap_err().contains("directory"));
    assert_eq!(ask(CAMERA, None), Err("denied".to_owned()));
    // What it does not see through the mount is to it as what is not there: a directory, a file, and nothing, of another app.
    for hidden in ["Android/data/com.example.camera", "Android/obb/com.example.camera"] {
        std::fs::create_dir_all(world.lower(format!("{hidden}/dir"))).unwrap();
        std::fs::write(world.lower(format!("{hidden}/file")), b"x").unwrap();
        for name in ["", "/dir", "/file", "/none", "/file/below", "/none/below"] {
            let path = world.shared(format!("{hidden}{name}"));
            let looked = path.clone();
            let seen = as_app(OTHER, move || std::fs::metadata(looked).is_ok());
            assert!(name.is_empty() || !seen, "{hidden}{name} is hidden");
            if !seen {
                assert_eq!(ask(OTHER, Some(&path)), Ok((0, "done".to_owned())), "{hidden}{name}");
            }
        }
    }
    // What is gone may be asked about.
    let gone = world.shared("DCIM/gone.png");
    assert_eq!(ask(OTHER, Some(&gone)), Ok((0, "done".to_owned())));
}

/// Ids by path, of everything that root sees.
fn ids(world: &mut World) -> BTreeMap<String, i64> {
    let said = world.daemon().cli(&["query", "--json"]);
    let all: Vec<Value> = serde_json::from_str(&said).unwrap();
    all.iter().map(|it| (it["path"].as_str().unwrap().to_owned(), it["id"].as_i64().unwrap())).collect()
}

#[test]
fn directories_that_are_renamed_meanwhile_keep_their_rows() {
    let mut world = unwatched();
    world.daemon().wait_until_indexed();
    let mut camera = world.app("com.example.camera");
    let (one, other) = (world.shared("DCIM/one"), world.shared("DCIM/other"));
    camera.mkdir(&one).unwrap();
    for number in 0..20 {
        camera.create(one.join(format!("{number}.jpg")), b"x").unwrap();
    }
    let before: Vec<i64> = ids(&mut world).into_values().collect();
    assert_eq!(before.len(), 20);
    let address = world.daemon().address().to_owned();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                camera.rename(&one, &other).unwrap();
                camera.rename(&other, &one).unwrap();
            }
        });
        let client = Client::connect(&address).unwrap();
        for number in 0..200 {
            let missing = if number % 2 == 0 { &one } else { &other }.join("missing.jpg");
            client.scan(Some(missing.to_str().unwrap().as_bytes())).unwrap();
            let dir = if number % 4 < 2 { &one } else { &other };
            // A directory is scanned by a thread of its own.
            let _ = client.scan(Some(dir.to_str().unwrap().as_bytes()));
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let mut after: Vec<i64> = ids(&mut world).into_values().collect();
    let mut before = before;
    before.sort_unstable();
    after.sort_unstable();
    assert_eq!(before, after, "rows were lost, or made anew");
}

#[test]
fn what_the_catalog_lost_is_made_good_while_the_service_runs() {
    let mut world = World::new(&packages());
    world.config.volumes[0].watch = WatchConfig::Off;
    let state = world.config.service.state_dir.clone();
    std::fs::create_dir_all(&state).unwrap();
    let options = Some("size=32m");
    nix::mount::mount(Some("state"), &state, Some("tmpfs"), nix::mount::MsFlags::empty(), options).unwrap();
    let _mounted = Unmounted(state.clone());
    world.start();
    world.daemon().wait_until_indexed();
    // The disk that holds the catalog is full.
    let full = state.join("full");
    let mut file = std::fs::File::create(&full).unwrap();
    while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    let mut camera = world.app("com.example.camera");
    for number in 0..400 {
        camera.create(world.shared(format!("DCIM/{number}-{}.jpg", "x".repeat(150))), b"x").unwrap();
    }
    let begin = Instant::now();
    while world.daemon().stat("catalog.writes_dropped") == 0 {
        assert!(begin.elapsed() < Duration::from_secs(30), "nothing was lost");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(file);
    std::fs::remove_file(full).unwrap();
    let begin = Instant::now();
    loop {
        let said = world.daemon().try_cli(&["query", "--count"]);
        if said.status.success() && said.stdout == b"400\n" {
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "{said:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
}

/// Unmounts when dropped.
struct Unmounted(std::path::PathBuf);

impl Drop for Unmounted {
    fn drop(&mut self) {
        let _ = nix::mount::umount2(&self.0, nix::mount::MntFlags::MNT_DETACH);
    }
}
