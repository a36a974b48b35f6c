//! Queries: who sees which rows, and what of them.

use mediagate_tests::picture;

use crate::stage::{APP, CAMERA, GALLERY, MANAGER, PICKER, ask, call, fails, fill, id, names, world};

const ALL: [&str; 4] = ["a.jpg", "b.mp4", "c.mp3", "d.pdf"];

#[test]
fn callers_see_what_the_rules_show_them() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    fill(&world, &mut camera);
    assert_eq!(names(&mut world, None, &[]), ALL);
    assert_eq!(names(&mut world, Some(CAMERA), &[]), ALL);
    assert_eq!(names(&mut world, Some(MANAGER), &[]), ALL);
    assert_eq!(names(&mut world, Some(GALLERY), &[]), ["a.jpg", "b.mp4"]);
    assert_eq!(names(&mut world, Some(APP), &[]), [""; 0]);
    assert_eq!(names(&mut world, Some(PICKER), &[]), [""; 0]);
    // A grant shows one file.
    let path = world.shared("DCIM/a.jpg");
    world.daemon().cli(&["grant", "add", PICKER, path.to_str().unwrap(), "--selected"]);
    let pdf = world.shared("Download/d.pdf");
    world.daemon().cli(&["grant", "add", APP, pdf.to_str().unwrap()]);
    assert_eq!(names(&mut world, Some(PICKER), &[]), ["a.jpg"]);
    assert_eq!(names(&mut world, Some(APP), &[]), ["d.pdf"]);
    // Owners are for themselves and for administrators, also as what is asked for.
    let owner = |all: serde_json::Value| all[0]["owner"].clone();
    assert_eq!(owner(ask(&mut world, None, &["query"])), CAMERA);
    assert_eq!(owner(ask(&mut world, Some(CAMERA), &["query"])), CAMERA);
    assert_eq!(owner(ask(&mut world, Some(GALLERY), &["query"])), serde_json::Value::Null);
    assert_eq!(names(&mut world, Some(GALLERY), &["--owner", CAMERA]), [""; 0]);
    assert_eq!(names(&mut world, None, &["--owner", CAMERA]), ALL);
    // What is revoked is not seen by the next question.
    world.daemon().cli(&["permission", "revoke", GALLERY, "READ_MEDIA_VIDEO"]);
    assert_eq!(names(&mut world, Some(GALLERY), &[]), ["a.jpg"]);
}

#[test]
fn questions_are_narrowed_sorted_and_paged() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    fill(&world, &mut camera);
    camera.mkdir(world.shared("DCIM/sub")).unwrap();
    camera.create(world.shared("DCIM/sub/e.png"), b"larger content").unwrap();
    let mut found = |options: &[&str]| names(&mut world, Some(CAMERA), options);
    assert_eq!(found(&["--dir", "DCIM"]), ["a.jpg"]);
    assert_eq!(found(&["--dir", "/DCIM/", "--tree"]), ["a.jpg", "e.png"]);
    assert_eq!(found(&["--type", "image,audio"]), ["a.jpg", "c.mp3", "e.png"]);
    assert_eq!(found(&["--desc", "--limit", "2"]), ["e.png", "d.pdf"]);
    assert_eq!(found(&["--sort", "size", "--desc", "--limit", "1"]), ["e.png"]);
    assert_eq!(found(&["--volume", "external_primary"]).len(), 5);
    assert_eq!(found(&["--user", "10"]), [""; 0]);
    assert_eq!(ask(&mut world, Some(GALLERY), &["query", "--count"])["count"], 3);
    let groups = ask(&mut world, Some(GALLERY), &["query", "--groups", "directory"]);
    let mut of: Vec<_> = groups.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    of.sort_unstable();
    assert_eq!(of, ["DCIM", "DCIM/sub", "Movies"]);
    assert!(fails(&mut world, Some(APP), &["query", "--volume", "none"]).contains("no volume"));
}

#[test]
fn long_answers_come_in_pages() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    camera.mkdir(world.shared("Pictures/many")).unwrap();
    let dir = format!("Pictures/many/{}", "d".repeat(200));
    camera.mkdir(world.shared(&dir)).unwrap();
    for number in 0..1100 {
        let name = format!("{dir}/{}-{number:04}.jpg", "n".repeat(200));
        camera.create(world.shared(name), b"").unwrap();
    }
    assert_eq!(names(&mut world, Some(GALLERY), &[]).len(), 1100);
    assert_eq!(names(&mut world, Some(GALLERY), &["--limit", "700"]).len(), 700);
}

#[test]
fn pending_and_trashed_files_are_their_owners() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    fill(&world, &mut camera);
    let made = ask(&mut world, Some(CAMERA), &["insert", "p.jpg", "--dir", "DCIM", "--pending"]);
    let trashed = id(&mut world, "DCIM/a.jpg");
    ask(&mut world, Some(CAMERA), &["trash", &trashed]);
    assert_eq!(names(&mut world, Some(CAMERA), &["--dir", "DCIM"]), [""; 0]);
    for (package, sees) in [(CAMERA, true), (MANAGER, true), (GALLERY, false), (APP, false)] {
        assert_eq!(names(&mut world, Some(package), &["--pending"]).len(), usize::from(sees), "{package}");
        assert_eq!(names(&mut world, Some(package), &["--trashed"]).len(), usize::from(sees), "{package}");
    }
    assert_eq!(names(&mut world, Some(CAMERA), &["--pending"]), ["p.jpg"]);
    assert_eq!(names(&mut world, Some(CAMERA), &["--trashed"]), ["a.jpg"]);
    let pending = made["id"].to_string();
    for line in [["open", &pending], ["open", &trashed], ["delete", &pending], ["untrash", &trashed]] {
        assert!(fails(&mut world, Some(GALLERY), &line).contains("no"), "{line:?}");
    }
    ask(&mut world, Some(CAMERA), &["update", &pending, "--publish"]);
    assert_eq!(names(&mut world, Some(GALLERY), &["--dir", "DCIM"]), ["p.jpg"]);
}

#[test]
fn files_are_opened_as_the_caller_sees_them() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    let content = picture::picture(3, true, 20_000);
    camera.create(world.shared("DCIM/a.jpg"), &content).unwrap();
    let id = id(&mut world, "DCIM/a.jpg");
    let whole = call(&mut world, Some(CAMERA), &["open", &id]).stdout;
    assert_eq!(whole, content);
    let redacted = call(&mut world, Some(GALLERY), &["open", &id]).stdout;
    assert_eq!(redacted.len(), content.len());
    assert!(!picture::tells(&redacted));
    let seen = world.app(GALLERY).read_all(world.shared("DCIM/a.jpg")).unwrap();
    assert_eq!(redacted, seen, "by its id as by its path");
    assert_eq!(call(&mut world, None, &["open", &id]).stdout, content);
    // Who may not see the file at all hears that there is none.
    assert!(fails(&mut world, Some(APP), &["open", &id]).contains("there is no file"));
    assert!(fails(&mut world, Some(CAMERA), &["open", "999999"]).contains("there is no file"));
    // The service's own thread is nobody's any more afterwards.
    assert_eq!(std::fs::read(world.shared("DCIM/a.jpg")).unwrap(), content);
    // The kernel gets the file as it does from an open of the app's own.
    let passed_by_path = {
        let before = world.daemon().stat("open.passthrough");
        camera.can_read(world.shared("DCIM/a.jpg")).unwrap();
        world.daemon().stat("open.passthrough") - before
    };
    let before = world.daemon().stat("open.passthrough");
    call(&mut world, Some(CAMERA), &["open", &id]);
    assert_eq!(world.daemon().stat("open.passthrough") - before, passed_by_path);
}

#[test]
fn changes_are_told_since_a_generation() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    fill(&world, &mut camera);
    let all = ask(&mut world, Some(CAMERA), &["changes", "--since", "0"]);
    assert_eq!(all["items"].as_array().unwrap().len(), 4);
    let since = all["generation"].to_string();
    let picture = id(&mut world, "DCIM/a.jpg");
    ask(&mut world, Some(CAMERA), &["delete", &picture]);
    camera.create(world.shared("DCIM/n.jpg"), b"x").unwrap();
    let new = ask(&mut world, Some(GALLERY), &["changes", "--since", &since]);
    // What was read of the older files' contents meanwhile is a change of them, too.
    let told = |answer: &serde_json::Value, name: &str| {
        answer["items"].as_array().unwrap().iter().any(|it| it["display_name"] == name)
    };
    assert!(told(&new, "n.jpg") && !told(&new, "a.jpg"));
    assert_eq!(new["gone"][0].to_string(), picture);
    let later = new["generation"].to_string();
    let none = ask(&mut world, Some(GALLERY), &["changes", "--since", &later]);
    assert!(!told(&none, "a.jpg"));
    // Who saw nothing of it hears of nothing.
    let nothing = ask(&mut world, Some(APP), &["changes", "--since", &since]);
    assert_eq!((&nothing["items"], &nothing["gone"]), (&serde_json::json!([]), &serde_json::json!([])));
    assert_eq!(ask(&mut world, None, &["changes", "--since", "99999999"])["start_over"], true);
}

#[test]
fn a_playlist_names_files_that_its_caller_sees() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    fill(&world, &mut camera);
    let elsewhere = world.shared("Music/c.mp3");
    let text = [
        "#EXTM3U",
        "c.mp3",
        "../Movies/b.mp4",
        "none.mp3",
        "http://example.com/x.mp3",
        "../../../../etc/passwd",
        elsewhere.to_str().unwrap(),
        "..\\DCIM\\a.jpg",
    ];
    let many = "c.mp3\n".repeat(1500);
    camera.create(world.shared("Music/list.m3u"), text.join("\r\n").as_bytes()).unwrap();
    camera.create(world.shared("Music/many.m3u"), many.as_bytes()).unwrap();
    let (list, many) = (id(&mut world, "Music/list.m3u"), id(&mut world, "Music/many.m3u"));
    let mut named = |package| {
        let found = ask(&mut world, package, &["query", &format!("--playlist={list}")]);
        let names = found.as_array().unwrap().iter();
        names.map(|it| it["display_name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for all in [Some(CAMERA), Some(MANAGER), None] {
        assert_eq!(named(all), ["c.mp3", "b.mp4", "c.mp3", "a.jpg"], "{all:?}");
    }
    let long = ask(&mut world, Some(CAMERA), &["query", &format!("--playlist={many}")]);
    assert_eq!(long.as_array().unwrap().len(), 1500);
    // Who was given the list sees no more of what it names than before.
    let path = world.shared("Music/list.m3u");
    assert!(fails(&mut world, Some(GALLERY), &["query", &format!("--playlist={list}")]).contains("no file"));
    world.daemon().cli(&["grant", "add", GALLERY, path.to_str().unwrap()]);
    let found = ask(&mut world, Some(GALLERY), &["query", &format!("--playlist={list}")]);
    let names: Vec<_> = found.as_array().unwrap().iter().map(|it| it["display_name"].clone()).collect();
    assert_eq!(names, ["b.mp4", "a.jpg"]);
    let file = id(&mut world, "DCIM/a.jpg");
    assert_eq!(
        ask(&mut world, Some(CAMERA), &["query", &format!("--playlist={file}")]),
        serde_json::json!([]),
        "what is no playlist names nothing"
    );
}
