//! Making, changing and removing files.

use std::time::{Duration, Instant};

use mediagate::binder::Client;
use mediagate::control::store::{MediaChanges, MediaResult};
use mediagate_tests::as_app;

use crate::stage::{APP, CAMERA, GALLERY, MANAGER, ask, call, fails, fill, id, names, results, world};

#[test]
fn inserts_follow_the_rules_of_names_and_places() {
    let mut world = world();
    // The system makes it.
    std::fs::create_dir_all(world.lower("Android/media")).unwrap();
    let base = world.shared("").to_str().unwrap().to_owned();
    let mut made = |package, line: &[&str]| {
        let made = ask(&mut world, Some(package), &[&["insert"][..], line].concat());
        made["path"].as_str().unwrap().strip_prefix(&base).unwrap().to_owned()
    };
    assert_eq!(made(APP, &["x.jpg"]), "Pictures/x.jpg");
    assert_eq!(made(APP, &["x.jpg"]), "Pictures/x (1).jpg");
    assert_eq!(made(CAMERA, &["x.jpg"]), "Pictures/x (2).jpg");
    assert_eq!(made(APP, &["x", "--mime", "image/png"]), "Pictures/x.png");
    assert_eq!(made(APP, &["x.mp3"]), "Music/x.mp3");
    assert_eq!(made(APP, &["x.mp4", "--dir", "DCIM/new/deep"]), "DCIM/new/deep/x.mp4");
    assert_eq!(made(APP, &["a:b.txt"]), "Download/a_b.txt");
    assert_eq!(made(APP, &[".hidden.pdf", "--dir", "Documents"]), "Documents/_hidden.pdf");
    assert_eq!(made(CAMERA, &["IMG_0001.jpg", "--dir", "DCIM"]), "DCIM/IMG_0001.jpg");
    assert_eq!(made(CAMERA, &["IMG_0001.jpg", "--dir", "DCIM"]), "DCIM/IMG_0002.jpg");
    let own = format!("Android/media/{APP}/f");
    assert_eq!(made(APP, &["any.bin", "--dir", &own]), format!("{own}/any.bin"));
    let pending = made(APP, &["p.jpg", "--pending"]);
    assert!(pending.starts_with("Pictures/.pending-") && pending.ends_with("-p.jpg"), "{pending}");
    assert!(world.lower("Pictures/x.jpg").exists());
    assert_eq!(ask(&mut world, None, &["query", "--dir", "Pictures"])[0]["owner"], APP);
    for (package, line) in [
        (APP, ["x.txt", "--dir", "Pictures"]),
        (APP, ["x.jpg", "--dir", "Music"]),
        (APP, ["x.jpg", "--dir", "Elsewhere/new"]),
        (APP, ["x.jpg", "--dir", "Android/media/com.example.camera"]),
        (APP, ["x.jpg", "--dir", "../0/DCIM"]),
        (APP, ["x.jpg", "--volume", "none"]),
        (APP, ["x.jpg", "--user", "10"]),
        (APP, ["x.jpg", "--dir", "Android/data/com.example.app"]),
    ] {
        fails(&mut world, Some(package), &[&["insert"][..], &line].concat());
    }
    assert!(!world.lower("Elsewhere").exists(), "no directory is made for nothing");
    let elsewhere = ask(&mut world, Some(MANAGER), &["insert", "x.jpg", "--dir", "Elsewhere"]);
    assert!(elsewhere["path"].as_str().unwrap().ends_with("/Elsewhere/x.jpg"));
}

#[test]
fn only_who_may_write_a_file_changes_it() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    fill(&world, &mut camera);
    let file = id(&mut world, "DCIM/a.jpg");
    let lines: [&[&str]; 6] = [
        &["update", &file, "--name", "n.jpg"],
        &["update", &file, "--dir", "Pictures"],
        &["trash", &file],
        &["favorite", &file],
        &["delete", &file],
        &["update", &file, "--dir", "Pictures/new"],
    ];
    for line in lines {
        assert_eq!(results(&mut world, Some(GALLERY), line), ["denied"], "{line:?}");
        assert_eq!(results(&mut world, Some(APP), line), ["not_found"], "{line:?}");
    }
    assert!(world.lower("DCIM/a.jpg").exists() && !world.lower("Pictures/new").exists());
    // With a grant to write, or as a manager.
    let path = world.shared("DCIM/a.jpg");
    world.daemon().cli(&["grant", "add", APP, path.to_str().unwrap(), "--write"]);
    assert_eq!(results(&mut world, Some(APP), &["favorite", &file]), ["done"]);
    assert_eq!(results(&mut world, Some(MANAGER), &["update", &file, "--name", "n.jpg"]), ["done"]);
    assert_eq!(names(&mut world, Some(CAMERA), &["--favorite"]), ["n.jpg"]);
    assert_eq!(results(&mut world, Some(APP), &["delete", &file]), ["done"]);
    assert!(!world.lower("DCIM/n.jpg").exists());
}

#[test]
fn files_are_renamed_moved_and_come_back_from_the_trash() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    fill(&world, &mut camera);
    camera.create(world.shared("DCIM/other.jpg"), b"y").unwrap();
    let (file, other) = (id(&mut world, "DCIM/a.jpg"), id(&mut world, "DCIM/other.jpg"));
    let mut done = |line: &[&str]| assert_eq!(results(&mut world, Some(CAMERA), line), ["done"], "{line:?}");
    done(&["update", &other, "--name", "a.jpg"]);
    done(&["update", &file, "--dir", "Pictures/trip/day", "--name", "b.jpg"]);
    done(&["favorite", &file]);
    done(&["trash", &file]);
    assert!(world.lower("DCIM/a (1).jpg").exists());
    let names_in = |dir: &str| -> Vec<String> {
        let read = std::fs::read_dir(world.lower(dir)).unwrap();
        read.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
    };
    let trashed = names_in("Pictures/trip/day");
    assert!(
        trashed.len() == 1 && trashed[0].starts_with(".trashed-") && trashed[0].ends_with("-b.jpg"),
        "{trashed:?}"
    );
    let found = ask(&mut world, Some(CAMERA), &["query", "--trashed"]);
    assert_eq!(found[0]["id"].to_string(), file);
    let in_days = (found[0]["expires"].as_i64().unwrap() - now()) / 86_400;
    assert!((29..=30).contains(&in_days), "{in_days}");
    // Its name was taken meanwhile.
    camera.create(world.shared("Pictures/trip/day/b.jpg"), b"z").unwrap();
    assert_eq!(results(&mut world, Some(CAMERA), &["untrash", &file]), ["done"]);
    let back = ask(&mut world, Some(CAMERA), &["query", "--id", &file]);
    assert_eq!((&back[0]["display_name"], &back[0]["favorite"]), (&"b (1).jpg".into(), &true.into()));
    // What does not fit there is refused, and a file that is in no trash stays where it is.
    assert_eq!(results(&mut world, Some(CAMERA), &["update", &file, "--dir", "Music"]), ["denied"]);
    assert_eq!(results(&mut world, Some(CAMERA), &["untrash", &file]), ["done"]);
    assert!(fails(&mut world, Some(CAMERA), &["update", &file, "--dir", "../../x"]).contains("directory"));
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

#[test]
fn a_row_without_its_file_goes() {
    let mut world = world();
    world.config.volumes[0].watch = mediagate::config::WatchConfig::Off;
    world.start();
    let mut camera = world.app(CAMERA);
    fill(&world, &mut camera);
    let file = id(&mut world, "DCIM/a.jpg");
    std::fs::remove_file(world.lower("DCIM/a.jpg")).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(results(&mut world, Some(CAMERA), &["delete", &file]), ["not_found"]);
    assert_eq!(names(&mut world, Some(CAMERA), &["--dir", "DCIM"]), [""; 0]);
}

#[test]
fn one_bad_id_does_not_keep_the_others() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    fill(&world, &mut camera);
    world.app(APP).create(world.shared("DCIM/app.jpg"), b"x").unwrap();
    let (own, others) = (id(&mut world, "DCIM/a.jpg"), id(&mut world, "DCIM/app.jpg"));
    let line = ["delete", "999999", &own, &others, &own];
    assert_eq!(results(&mut world, Some(CAMERA), &line), ["not_found", "done", "not_found", "done"]);
    assert!(world.lower("DCIM/app.jpg").exists());
    let said = fails(&mut world, Some(CAMERA), &["delete", &others]);
    assert!(said.contains("no such file"), "{said}");
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    fill(&world, &mut camera);
    let file = id(&mut world, "DCIM/a.jpg");
    let (number, address) = (file.parse().unwrap(), world.daemon().address().to_owned());
    let result = as_app(10101, move || {
        let changes = MediaChanges {
            favorite: Some(true),
            relative_path: Some(b"Music".to_vec()),
            ..MediaChanges::default()
        };
        Client::connect(&address).unwrap().store().unwrap().update(&[number], &changes).unwrap()
    });
    assert_eq!(result, [MediaResult::Denied]);
    let found = ask(&mut world, Some(CAMERA), &["query", "--id", &file]);
    assert_eq!(found[0]["favorite"], false);
}

#[test]
fn an_id_that_is_given_twice_is_worked_on_once() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    fill(&world, &mut camera);
    let file = id(&mut world, "DCIM/a.jpg");
    // Each within milliseconds of the one before, when the index has not heard of that yet.
    for (line, trashed) in [(["trash", &file, &file, &file], true), (["untrash", &file, &file, &file], false)]
    {
        assert_eq!(results(&mut world, Some(CAMERA), &line), ["done"; 3]);
        let found = ask(&mut world, Some(CAMERA), &["query", "--trashed", "include", "--id", &file]);
        assert_eq!(found[0]["trashed"], trashed, "the row is still there: {found}");
    }
    assert_eq!(results(&mut world, Some(CAMERA), &["delete", &file, &file]), ["done"; 2]);
}

#[test]
fn who_only_sees_a_file_cannot_take_its_row_away() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    fill(&world, &mut camera);
    let file = id(&mut world, "DCIM/a.jpg");
    ask(&mut world, Some(CAMERA), &["favorite", &file]);
    let (one, other) = (world.shared("DCIM/a.jpg"), world.shared("DCIM/b.jpg"));
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                camera.rename(&one, &other).unwrap();
                camera.rename(&other, &one).unwrap();
            }
        });
        for _ in 0..20 {
            let line = [&["update"][..], &[file.as_str(); 200], &["--name", "c.jpg"]].concat();
            let became = results(&mut world, Some(GALLERY), &line);
            let fine = |it: &String| *it == "denied" || *it == "not_found";
            assert!(became.iter().all(fine), "{became:?}");
        }
        for _ in 0..20 {
            call(&mut world, Some(GALLERY), &["open", &file]);
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let found = ask(&mut world, Some(CAMERA), &["query", "--id", &file]);
    assert_eq!(found[0]["favorite"], true, "its row is gone, or another one: {found}");
}

#[test]
fn thousands_go_in_one_call() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    for number in 0..2000 {
        camera.create(world.shared(format!("DCIM/{number}.jpg")), b"").unwrap();
    }
    let all = ask(&mut world, Some(CAMERA), &["query"]);
    let ids: Vec<String> = all.as_array().unwrap().iter().map(|it| it["id"].to_string()).collect();
    assert_eq!(ids.len(), 2000);
    let with = |word| [&[word][..], &ids.iter().map(String::as_str).collect::<Vec<_>>()].concat();
    assert!(results(&mut world, Some(CAMERA), &with("favorite")).iter().all(|it| it == "done"));
    assert_eq!(ask(&mut world, Some(CAMERA), &["query", "--favorite", "--count"])["count"], 2000);
    let begin = Instant::now();
    assert!(results(&mut world, Some(CAMERA), &with("delete")).iter().all(|it| it == "done"));
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    assert_eq!(ask(&mut world, None, &["query", "--count"])["count"], 0);
    assert_eq!(std::fs::read_dir(world.lower("DCIM")).unwrap().count(), 0);
    assert!(
        call(&mut world, Some(CAMERA), &["stats"]).status.code() == Some(1),
        "and it is no administrator"
    );
}
