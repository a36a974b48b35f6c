use super::*;

fn source(file: &Path) -> PackagesListSource {
    let mut camera = PackageConfig::new("com.example.camera", 10_999);
    camera.permissions = vec!["READ_MEDIA_IMAGES".into()];
    camera.target_sdk = 30;
    PackagesListSource::new(file, &[camera, PackageConfig::new("com.example.absent", 10_500)])
}

fn names(records: &[PackageRecord]) -> Vec<&str> {
    records.iter().map(|it| &*it.facts.name).collect()
}

#[test]
fn lines_of_all_versions_are_understood() {
    for (line, app_id, target_sdk) in [
        ("com.a 10050 0 /data/user/0/com.a", 10_050, None),
        ("com.a 10050 1 /data/user/0/com.a default none", 10_050, None),
        ("com.a 10050 0 /data/user/0/com.a default:targetSdkVersion=29 3003,1065 0 500", 10_050, Some(29)),
        ("com.a 1010050 0 /d platform:privapp:targetSdkVersion=35 none 0 500 1 @system", 10_050, Some(35)),
        ("android 1000 0 /data/system platform:system_app:targetSdkVersion=35 none 0 35", 1000, Some(35)),
        ("com.android.shell 2000 0 /d x none 0 1 1 @system and whatever comes later", 2000, None),
    ] {
        let listed = parse_line(line.as_bytes()).unwrap();
        assert_eq!((listed.app_id.0, listed.target_sdk), (app_id, target_sdk), "{line}");
    }
}

#[test]
fn lines_that_say_nothing_certain_are_skipped() {
    for line in [
        "com.a",
        "com.a 10050",
        "com.a 1005",
        "com.a 10050 0",
        "com.a -10050 0 /d",
        "com.a +10050 0 /d",
        "com.a 0x2742 0 /d",
        "com.a 4294977346 0 /d",
        "com.a  10050 0 /d",
        "com.a 0 0 /d",
        "com.a 99999 0 /d",
        "com..a 10050 0 /d",
        "../a 10050 0 /d",
        " com.a 10050 0 /d",
    ] {
        assert!(parse_line(line.as_bytes()).is_err(), "{line}");
    }
    assert!(parse_line(b"com.\xff 10050 0 /d").is_err());
    assert!(parse_line(b"com.a\0 10050 0 /d").is_err());
}

#[test]
fn permissions_are_joined_by_name_and_the_list_decides_who_exists() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("packages.list");
    std::fs::write(
        &file,
        "com.example.other 10050 0 /d x:targetSdkVersion=28 none\ncom.example.camera 10051 0 /d x:targetSdkVersion=28\n",
    )
    .unwrap();
    let records = source(&file).load().unwrap();
    assert_eq!(names(&records), ["com.example.other", "com.example.camera"]);
    let (other, camera) = (&records[0], &records[1]);
    assert_eq!((other.facts.target_sdk, other.facts.permissions.iter().count()), (28, 0));
    assert_eq!((camera.app_id, camera.facts.target_sdk), (10_051, 30), "configured, but the list's app id");
    assert!(camera.facts.permissions.has(mediagate_policy::Permission::ReadMediaImages));
    assert_eq!(camera.users, Users::Every);
}

#[test]
fn hostile_files_lose_nothing_but_their_bad_lines() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("packages.list");
    let mut text = b"com.first 10050 0 /d\n".to_vec();
    text.extend((0..=255_u8).cycle().take(100_000));
    text.push(b'\n');
    text.extend(std::iter::repeat_n(b'x', 10 << 20));
    text.extend(b"\ncom.first 10060 0 /d\n\n\ncom.last 10051 0 /d");
    std::fs::write(&file, text).unwrap();
    let records = source(&file).load().unwrap();
    assert_eq!(names(&records), ["com.first", "com.last"]);
    assert_eq!(records[0].app_id, 10_050, "the first of two lines counts");

    for nothing in ["", "\n", "not a package\n"] {
        std::fs::write(&file, nothing).unwrap();
        assert!(matches!(source(&file).load(), Err(IdentityError::Empty { .. })), "everybody would be gone");
    }
}

#[test]
fn what_is_no_file_is_an_error_and_blocks_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("packages.list");
    assert!(matches!(source(&file).load(), Err(IdentityError::Read { .. })));
    nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(matches!(source(&file).load(), Err(IdentityError::Read { .. })));
    assert!(matches!(source(dir.path()).load(), Err(IdentityError::Read { .. })));
    let big = dir.path().join("big");
    std::fs::File::create(&big).unwrap().set_len(MAX_FILE + 1).unwrap();
    assert!(matches!(source(&big).load(), Err(IdentityError::TooLarge { .. })));
}
