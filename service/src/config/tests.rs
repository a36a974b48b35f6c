//! Each mistake is tried alone: its line and its remedy have to be in the message.

use std::path::{Path, PathBuf};

use super::*;

/// Directories that exist, for lower directories and mounts.
struct World {
    dir: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        for name in ["media", "media/0", "sd", "mnt"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        World { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `$D` in `text` stands for the directory.
    fn parse(&self, text: &str) -> Result<Config, ConfigError> {
        parse(&self.fill(text), Path::new("mediagate.toml"))
    }

    fn fill(&self, text: &str) -> String {
        text.replace("$D", self.dir.path().to_str().unwrap())
    }

    /// The messages for `text`.
    fn refuse(&self, text: &str) -> Vec<String> {
        match self.parse(text) {
            Err(ConfigError::Mistakes(Mistakes(all))) => {
                assert!(!all.is_empty());
                all.iter().map(|it| it.to_string()).collect()
            }
            other => panic!("not refused as it should be: {other:?}\n{text}"),
        }
    }

    /// `text` behind a good `[service]` (its lines begin at 3) has one mistake, with all of `parts` in its message.
    #[track_caller]
    fn one(&self, text: &str, parts: &[&str]) {
        let text = format!("[service]\nstate_dir = \"/var/lib/mediagate\"\n{text}");
        let messages = self.refuse(&text);
        assert_eq!(messages.len(), 1, "{messages:#?}");
        for part in parts {
            let part = self.fill(part);
            assert!(messages[0].contains(&part), "no {part:?} in: {}", messages[0]);
        }
    }
}

const GOOD: &str = r#"
[service]
state_dir = "/var/lib/mediagate"
listen = ["unix:///run/mediagate/mediagate.sock", "binder://mediagate"]
threads = 4
busy_poll_us = 20
maintenance_hours = 12
quota_projects = true

[service.backing_files]
max = 100

[[volume]]
name = "external_primary"
kind = "emulated"
lower = "$D/media"
mount = "$D/mnt/emulated"
users = [0, 10]
owner = "1023:1023"
cache_seconds = -1
watch = "inotify"

[[volume]]
name = "1a2b-3c4d"
kind = "public"
lower = "$D/sd"
mount = "$D/mnt/sd"
passthrough = false

[[package]]
name = "com.example.camera"
app_id = 10101
permissions = ["android.permission.READ_MEDIA_IMAGES", "ACCESS_MEDIA_LOCATION"]
app_ops = { "android:manage_external_storage" = "allow" }

[[package]]
name = "com.example.one"
app_id = 10102
shared_uid = true

[[package]]
name = "com.example.two"
app_id = 10102
users = [0, 10]
shared_uid = true
target_sdk = 28
request_legacy_storage = true
request_raw_access = false
"#;

#[test]
fn a_good_file_is_read_with_defaults_filled_in_and_names_made_uniform() {
    let world = World::new();
    let config = world.parse(GOOD).unwrap();
    assert_eq!(config.service.admin_uids, [0, 1000]);
    assert_eq!(config.service.threads, Some(4));
    assert_eq!(config.service.busy_poll_us, 20);
    assert_eq!(config.service.maintenance_hours, 12);
    assert!(config.service.quota_projects);
    assert_eq!(config.service.backing_files, BackingFilesConfig { max: 100, max_per_uid: 100 });
    assert_eq!(config.volumes[0].users, [0, 10]);
    assert_eq!((config.volumes[0].cache_seconds, config.volumes[1].cache_seconds), (Some(-1), None));
    assert_eq!((config.volumes[0].watch, config.volumes[1].watch), (WatchConfig::Inotify, WatchConfig::Auto));
    assert_eq!((config.volumes[0].passthrough, config.volumes[1].passthrough), (true, false));
    assert!(config.volumes[1].users.is_empty());
    assert_eq!(config.packages[0].permissions, ["READ_MEDIA_IMAGES", "ACCESS_MEDIA_LOCATION"]);
    assert_eq!(config.packages[0].app_ops["MANAGE_EXTERNAL_STORAGE"], "allow");
    assert_eq!((config.packages[0].target_sdk, config.packages[0].users.as_slice()), (34, &[0][..]));
    assert_eq!(config.packages[2].request_raw_access, Some(false));
}

#[test]
fn what_is_written_is_read_back() {
    let world = World::new();
    let config = world.parse(GOOD).unwrap();
    let text = config.to_toml().unwrap();
    assert_eq!(parse(&text, Path::new("again")).unwrap(), config, "{text}");
}

#[test]
fn a_service_alone_is_enough_and_emulated_volumes_default_to_user_0() {
    let world = World::new();
    let config = world.parse("service = { state_dir = \"/s\" }").unwrap();
    assert_eq!(config.service.listen, Vec::<String>::new());
    assert_eq!(config.service.backing_files, BackingFilesConfig::default());
    let config = world
        .parse(
            "volume = [{name='a', kind='emulated', lower='$D/media', mount='/m'}]\nservice.state_dir = '/s'",
        )
        .unwrap();
    assert_eq!(config.volumes[0].users, [0]);
}

#[test]
fn syntax_and_structure() {
    let world = World::new();
    for (text, parts) in [
        ("[service", &["mediagate.toml:1: not valid TOML: ", "`]`", "in: [service"][..]),
        ("\n[service]\nstate_dir = /var", &["mediagate.toml:3: not valid TOML", "in: state_dir = /var"]),
        ("[service]\nstate_dir='/s'\nstate_dir='/s'", &["mediagate.toml:3: not valid TOML", "duplicate key"]),
        ("", &["mediagate.toml:1: there is no [service] table; add one"]),
        ("[service]\n", &["mediagate.toml:1: [service]: state_dir is missing; add for example state_dir = "]),
        ("service = 3", &["mediagate.toml:1: ", "service is 3; write a table that begins with [service]"]),
        ("[servise]\n", &["unknown key \"servise\"; did you mean \"service\"?"]),
    ] {
        let messages = world.refuse(text).join("\n");
        for part in parts {
            assert!(messages.contains(part), "no {part:?} in:\n{messages}");
        }
    }
    world.one("[volume]\nname = 'a'", &["toml:3: ", "volume is a table; write", "[[volume]]"]);
    let messages = world.refuse("volume = [3]\nservice.state_dir = '/s'");
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].contains("in double brackets"), "{messages:?}");
}

#[test]
fn service_settings() {
    let world = World::new();
    let long = format!("listen = [\"unix:///{}\"]", "s".repeat(200));
    for (text, parts) in [
        ("listen = 'unix:///a'", &["toml:3: [service]: listen is the text \"unix:///a\"; write a list"][..]),
        ("listen = [\n'unix:///a',\n7]", &["toml:5: ", "an element that is 7"]),
        ("listen = ['/run/a.sock']", &["toml:3: ", "is not an address; write \"unix:///run"]),
        ("listen = ['unix://a.sock']", &["not an absolute path"]),
        ("listen = ['unix:///']", &["names no file"]),
        ("listen = ['binder://']", &["write e.g. \"binder://mediagate\""]),
        ("listen = ['binder://a b']", &["write e.g. \"binder://mediagate\""]),
        ("listen = ['binder://a',\n'binder://a']", &["toml:4: ", "there already (line 3)"]),
        (&long, &["at most 101 bytes"]),
        ("policy_profile = 'andriod'", &["did you mean \"android\"?"]),
        ("packages_list = '/nonexistent/packages.list'", &["toml:3: ", "/data/system/packages.list"]),
        ("packages_list = 'packages.list'", &["is not an absolute path"]),
        ("threads = 0", &["threads is 0; write a whole number from 1 to 64"]),
        ("threads = 65", &["threads is 65"]),
        ("maintenance_hours = -1", &["maintenance_hours is -1; write a whole number from 0 to 8760"]),
        ("busy_poll_us = -1", &["busy_poll_us is -1; write a whole number from 0 to 1000"]),
        ("busy_poll_us = 1001", &["busy_poll_us is 1001"]),
        ("threads = 1.5", &["the fraction 1.5"]),
        ("threads = 99999999999999999999999", &["threads is 99999999999999999999999; write"]),
        ("admin_uids = [0, 0]", &["uid 0 is there already (line 3); remove one"]),
        ("admin_uids = [-1]", &["holds an element that is -1; write a list of whole numbers"]),
        ("admin_uids = [4294967295]", &["4294967295"]),
        ("thread = 3", &["toml:3: [service]: unknown key \"thread\"; did you mean \"threads\"?"]),
        ("[service.backing_files]\nmax = -1", &["toml:4: [service.backing_files]: max is -1"]),
        ("[service.backing_files]\nmax = 5\nmax_per_uid = 6", &["toml:5: ", "write max_per_uid = 5 or less"]),
        (
            "backing_files = 3",
            &["backing_files is 3; write a table that begins with [service.backing_files]"],
        ),
    ] {
        world.one(text, parts);
    }
    assert!(world.parse("[service]\nstate_dir = 'relative'").is_err());
    assert!(world.parse("[service]\nstate_dir = '/a/../b'").is_err());
    assert!(world.parse("[service]\nstate_dir = \"/a\\u0000b\"").is_err());
}

fn volume(name: &str, lower: &str, mount: &str, more: &str) -> String {
    format!("[[volume]]\nname = '{name}'\nkind = 'public'\nlower = '{lower}'\nmount = '{mount}'\n{more}\n")
}

#[test]
fn volume_settings() {
    let world = World::new();
    std::fs::write(world.path("file"), "").unwrap();
    let good = |more: &str| volume("sd", "$D/sd", "/mnt/sd", more);
    let lower = |path: &str| volume("sd", path, "/mnt/sd", "");
    let emulated = |more: &str| good(more).replace("public", "emulated");
    for (text, parts) in [
        (good("users = [0]"), &["toml:8: [[volume]] \"sd\": users are for emulated volumes"][..]),
        (good("owner = 'nobody-has-this-name:0'"), &["toml:8: ", "no user \"nobody-has-this-name\""]),
        (good("owner = '0:nobody-has-this-name'"), &["no group \"nobody-has-this-name\""]),
        (good("owner = '0'"), &["names no group; write owner = \"user:group\""]),
        (good("owner = ':'"), &["no user \"\""]),
        (good("owner = '4294967295:0'"), &["no user"]),
        (good("owner = \"a\\u0000:0\""), &["no user"]),
        (good("cache_seconds = -2"), &["cache_seconds is -2; write a whole number from -1 to 86400"]),
        (good("watch = \"fanotfy\""), &["watch \"fanotfy\" does not exist; did you mean \"fanotify\"?"]),
        (good("cache_seconds = 86401"), &["cache_seconds is 86401"]),
        (good("passthrough = 'yes'"), &["write passthrough = true or passthrough = false"]),
        (good("mout = 3"), &["toml:8: [[volume]] \"sd\": unknown key \"mout\"; did you mean \"mount\"?"]),
        (emulated("users = [0,\n 0]"), &["toml:9: ", "user 0 is there already (line 8)"]),
        (
            emulated("users = [21474]"),
            &["holds an element that is 21474; write a list of whole numbers from 0 to 21473"],
        ),
        (emulated("users = []"), &["users is empty, so nobody is served; write users = [0]"]),
        (good("").replace("'public'", "'emulatd'"), &["toml:5: ", "did you mean \"emulated\"?"]),
        (
            good("").replace("kind = 'public'\n", ""),
            &["toml:3: ", "kind is missing; add for example kind = \"emulated\""],
        ),
        (volume("SD Card", "$D/sd", "/m", ""), &["toml:4: ", "write for example name = \"sd_card\""]),
        (volume("", "$D/sd", "/m", ""), &["1 to 64 characters"]),
        (volume("..", "$D/sd", "/m", ""), &["does not begin with a dot"]),
        (lower("$D/none"), &["toml:6: ", "lower \"$D/none\" does not exist; create it"]),
        (lower("$D/file"), &["toml:6: ", "lower \"$D/file\" is not a directory"]),
        (lower("$D/file/x"), &["toml:6: ", "cannot be used"]),
        (lower("sd"), &["toml:6: ", "not an absolute path"]),
        (volume("sd", "$D/sd", "mnt", ""), &["toml:7: ", "mount \"mnt\" is not an absolute path"]),
        (volume("sd", "$D/sd", "/mnt/../sd", ""), &["toml:7: ", "holds \"..\""]),
        (
            volume("sd", "$D/sd", "/mnt/a", "") + &volume("sd", "$D/media", "/mnt/b", ""),
            &["toml:10: [[volume]] \"sd\": the name is there already (line 4)"],
        ),
    ] {
        world.one(&text, parts);
    }
}

#[test]
fn overlapping_directories() {
    let world = World::new();
    std::os::unix::fs::symlink(world.path("media"), world.path("link")).unwrap();
    std::os::unix::fs::symlink(world.path("mnt"), world.path("mntlink")).unwrap();
    let two = |a: (&str, &str), b: (&str, &str)| volume("a", a.0, a.1, "") + &volume("b", b.0, b.1, "");
    for (text, parts) in [
        (
            volume("a", "$D/media", "$D/media/mnt", ""),
            &[
                "toml:6: [[volume]] \"a\": lower \"$D/media\" contains its mount \"$D/media/mnt\"; mount it outside of the lower directory",
            ][..],
        ),
        (volume("a", "$D/mnt", "$D/mntlink/x/y", ""), &["contains its mount", "(which is \"$D/mnt/x/y\")"]),
        (volume("a", "$D/media", "$D/media", ""), &["is the same directory as its mount"]),
        (volume("a", "$D/link", "$D/media/", ""), &["is the same directory as its mount"]),
        (volume("a", "$D/media/0", "$D/media", ""), &["toml:6: ", "is inside its mount \"$D/media\""]),
        (
            two(("$D/media", "/m/a"), ("$D/sd", "/m/a")),
            &[
                "toml:13: ",
                "mount \"/m/a\" is the same directory as the mount of volume \"a\", \"/m/a\"; give each volume a mount point of its own",
            ],
        ),
        (
            two(("$D/media", "/m/a"), ("$D/sd", "/m/a/b")),
            &["toml:13: ", "is inside the mount of volume \"a\""],
        ),
        (
            two(("$D/media", "/m/a/b"), ("$D/sd", "/m/a")),
            &["toml:13: ", "contains the mount of volume \"a\""],
        ),
        (two(("$D/media", "$D/mnt"), ("$D/sd", "$D/mntlink/x")), &["is inside the mount of volume \"a\""]),
        (
            two(("$D/media", "/m/a"), ("$D/link", "/m/b")),
            &["toml:12: ", "is the same directory as the lower of volume \"a\""],
        ),
        (
            two(("$D/media", "/m/a"), ("$D/media/0", "/m/b")),
            &["toml:12: ", "is inside the lower of volume \"a\""],
        ),
        (
            two(("$D/link/0", "/m/a"), ("$D/media", "/m/b")),
            &["toml:12: ", "contains the lower of volume \"a\""],
        ),
        (
            two(("$D/media", "$D/mnt"), ("$D/sd", "$D/media/x")),
            &["toml:13: ", "is inside the lower of volume \"a\""],
        ),
        (
            two(("$D/media", "$D/sd/x"), ("$D/sd", "/m/b")),
            &["toml:12: ", "contains the mount of volume \"a\""],
        ),
    ] {
        world.one(&text, parts);
    }
    // A name that merely begins with another one is another directory.
    let text = two(("$D/media", "/m/a"), ("$D/sd", "/m/ab"));
    assert!(world.parse(&format!("service.state_dir='/s'\n{text}")).is_ok());
    for setting in ["state_dir = '$D/media/state'", "state_dir = '/s'\nlisten = ['unix:///m/a/socket']"] {
        let messages = world.refuse(&format!("[service]\n{setting}\n{text}"));
        assert!(messages.len() == 1 && messages[0].contains("outside of every volume"), "{messages:?}");
    }
}

fn package(name: &str, id: u32, more: &str) -> String {
    format!("[[package]]\nname = '{name}'\napp_id = {id}\n{more}\n")
}

#[test]
fn package_settings() {
    let world = World::new();
    let good = |more: &str| package("com.a", 10101, more);
    let id = |id: u32| package("com.a", id, "");
    let named = |name: &str| package(name, 10101, "");
    for (text, parts) in [
        (
            good("permissions = ['READ_MEDIA_IMAGE']"),
            &[
                "toml:6: [[package]] \"com.a\": permission \"READ_MEDIA_IMAGE\"",
                "did you mean \"READ_MEDIA_IMAGES\"?",
            ][..],
        ),
        (good("permissions = ['INTERNET']"), &["write one of \"READ_EXTERNAL_STORAGE\", "]),
        (
            good("permissions = ['DUMP',\n'android.permission.DUMP']"),
            &["toml:7: ", "permission \"DUMP\" is there already (line 6)"],
        ),
        (good("permissions = 'DUMP'"), &["write a list of texts"]),
        (
            good("app_ops = { MANAGE_EXTERNAL_STORAGES = 'allow' }"),
            &["did you mean \"MANAGE_EXTERNAL_STORAGE\"?"],
        ),
        (good("app_ops = { MANAGE_EXTERNAL_STORAGE = 'alow' }"), &["toml:6: ", "did you mean \"allow\"?"]),
        (
            good("app_ops = { MANAGE_EXTERNAL_STORAGE = true }"),
            &["app_ops.MANAGE_EXTERNAL_STORAGE is true; write"],
        ),
        (
            good("app_ops.LEGACY_STORAGE = 'allow'\napp_ops.legacy_storage = 'deny'"),
            &["app op LEGACY_STORAGE is there already"],
        ),
        (good("app_ops = ['x']"), &["app_ops is a list; write"]),
        (good("target_sdk = 0"), &["target_sdk is 0; write a whole number from 1 to 10000"]),
        (good("users = []"), &["installed nowhere"]),
        (good("users = [0, 21474]"), &["from 0 to 21473"]),
        (good("users = [0, 0]"), &["user 0 is there already"]),
        (good("permission = []"), &["did you mean \"permissions\"?"]),
        (good("shared_uid = 1"), &["write shared_uid = true or shared_uid = false"]),
        (id(999), &["toml:5: ", "app_id 999 cannot be a package's"]),
        (id(0), &["app_id 0"]),
        (id(2000), &["the shell's"]),
        (id(90_000), &["isolated"]),
        (id(100_000), &["app_id 100000"]),
        (named(""), &["a package's name"]),
        (named("com..a"), &["a package's name"]),
        (named("com.1a"), &["a package's name"]),
        (named("../a"), &["a package's name"]),
        ("[[package]]\nname = 'com.a'".into(), &["toml:3: [[package]] \"com.a\": app_id is missing"]),
        ("[[package]]\napp_id = 10101".into(), &["toml:3: [[package]]: name is missing"]),
        (good("") + &package("com.a", 10102, ""), &["toml:8: ", "the name is there already (line 4)"]),
        (
            good("") + &package("com.b", 10101, ""),
            &["toml:9: ", "app_id 10101 is \"com.a\"'s already (line 5)", "shared_uid = true"],
        ),
        (good("") + &package("com.b", 10101, "shared_uid = true"), &["toml:9: "]),
        (good("shared_uid = true") + &package("com.b", 10101, ""), &["toml:9: "]),
    ] {
        world.one(&text, parts);
    }
}

#[test]
fn packages_of_a_list_need_no_app_id() {
    let world = World::new();
    let text = "[service]\nstate_dir='/s'\npackages_list='$D/packages.list'\n[[package]]\nname = 'com.a'";
    assert_eq!(world.parse(text).unwrap().packages[0].app_id, 0);
}

#[test]
fn all_mistakes_are_reported_at_once_in_the_order_of_the_file() {
    let world = World::new();
    let messages = world.refuse(
        "[service]\nstate_dir = 3\nbogus = 1\n[[volume]]\nkind = 'x'\nlower = 'y'\n[[package]]\nname = 'com.a'\napp_id = 1\npermissions = ['A', 'B']\n",
    );
    let lines: Vec<&str> = messages.iter().map(|it| it.split(": ").next().unwrap()).collect();
    let want = [2, 3, 4, 4, 5, 6, 9, 10, 10].map(|line| format!("mediagate.toml:{line}"));
    assert_eq!(lines, want, "{messages:#?}");
}

#[test]
fn files_that_cannot_be_read_or_are_no_text() {
    let world = World::new();
    let error = load(&world.path("none.toml")).unwrap_err().to_string();
    assert!(error.contains("none.toml: cannot be read") && error.contains("--config"), "{error}");
    assert!(load(&world.path("sd")).is_err());
    std::fs::write(world.path("c.toml"), b"[service]\nstate_dir = \"\xff\"\n").unwrap();
    let error = load(&world.path("c.toml")).unwrap_err().to_string();
    assert!(error.contains("c.toml:2: this line is not UTF-8"), "{error}");
    std::fs::write(world.path("c.toml"), "[service]\nstate_dir = \"/s\"\n").unwrap();
    assert_eq!(load(&world.path("c.toml")).unwrap().service.state_dir, Path::new("/s"));
}

#[test]
fn hostile_text_neither_panics_nor_takes_long() {
    let world = World::new();
    for text in [
        "a.".repeat(5_000) + "b = 1",
        "a = ".to_owned() + &"[".repeat(100_000),
        "\u{feff}[service]\n\u{0}".to_owned(),
        "[[volume]]\n".repeat(500),
        format!("[service]\nstate_dir = {}", "9".repeat(100_000)),
        "é".repeat(1000),
        "[service]\nthreads = '''\n\n\n".to_owned(),
    ] {
        for message in world.refuse(&text) {
            assert!(message.len() < 20_500, "{}", &message[..200]);
        }
    }
}

#[test]
fn owners_are_resolved_by_name_and_number() {
    assert_eq!(resolve_owner("root:root"), Ok((0, 0)));
    assert_eq!(resolve_owner("1023:9997"), Ok((1023, 9997)));
    assert_eq!(resolve_owner("root:5"), Ok((0, 5)));
    for bad in ["", "root", "1x:1", "-1:0", "+1:0", "root:", "0:99999999999", "root:root:root"] {
        assert!(resolve_owner(bad).is_err(), "{bad}");
    }
}

#[test]
fn volumes_attached_at_run_time_are_checked_against_those_there_are() {
    let world = World::new();
    let config = world.parse(GOOD).unwrap();
    let mut new = config.volumes[0].clone();
    let refused = |volume: &VolumeConfig, part: &str| {
        let complaint = check_volume(volume, &config.volumes).unwrap_err();
        assert!(complaint.contains(part), "no {part:?} in {complaint}");
    };
    refused(&new, "attached already");
    new.name = "new".into();
    refused(&new, "the lower of volume \"external_primary\"");
    std::fs::create_dir(world.path("new")).unwrap();
    new.lower = world.path("new");
    refused(&new, "the mount of volume \"external_primary\"");
    new.mount = world.path("new/mnt");
    refused(&new, "contains its mount");
    new.mount = world.path("mnt/new");
    new.users.clear();
    assert_eq!(check_volume(&new, &config.volumes).unwrap().users, [0]);
    refused(&VolumeConfig { users: vec![1, 1], ..new.clone() }, "twice");
    refused(&VolumeConfig { users: vec![1], kind: VolumeKindConfig::Public, ..new.clone() }, "emulated");
    refused(&VolumeConfig { owner: Some("x".into()), ..new.clone() }, "owner");
    refused(&VolumeConfig { cache_seconds: Some(-5), ..new.clone() }, "cache_seconds");
    refused(&VolumeConfig { name: "A".into(), ..new.clone() }, "lower-case");
}

#[test]
fn the_document_describes_every_setting_and_its_example_is_accepted() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/CONFIGURATION.md")).unwrap();
    let examples: Vec<&str> =
        text.split("```toml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect();
    assert!(!examples.is_empty());
    let world = World::new();
    for example in examples {
        // The directories of the example are those of another machine.
        let example = example
            .replace("\"/data/media\"", "\"$D/media\"")
            .replace("\"/mnt/media_rw/1a2b-3c4d\"", "\"$D/sd\"")
            .replace("\"/data/system/packages.list\"", "\"$D/packages.list\"")
            .replace("\"media_rw:media_rw\"", "\"1023:1023\"");
        let config = world.parse(&example).unwrap_or_else(|error| panic!("{error}\n{example}"));
        assert!(!config.volumes.is_empty());
    }
    for setting in [
        "state_dir",
        "listen",
        "policy_profile",
        "packages_list",
        "admin_uids",
        "threads",
        "busy_poll_us",
        "maintenance_hours",
        "quota_projects",
        "max",
        "max_per_uid",
        "name",
        "kind",
        "lower",
        "mount",
        "users",
        "owner",
        "passthrough",
        "cache_seconds",
        "watch",
        "app_id",
        "shared_uid",
        "target_sdk",
        "permissions",
        "app_ops",
        "request_legacy_storage",
        "request_raw_access",
        "scoped_storage",
        "instant",
        "id",
        "parent",
        "usb_file_transfer",
    ] {
        assert!(text.contains(&format!("| `{setting}` |")), "{setting} is not described");
    }
}

#[test]
fn users_may_be_profiles() {
    let world = World::new();
    let text = "[service]\nstate_dir = \"/var/lib/mediagate\"\n[[user]]\nid = 10\nkind = \"clone\"\nparent = 0\n\
                [[user]]\nid = 11\nkind = \"work\"\nparent = 12\n[[user]]\nid = 12\nusb_file_transfer = false\n";
    let config = world.parse(text).unwrap();
    let user = |id, kind, parent, usb_file_transfer| UserConfig { id, kind, parent, usb_file_transfer };
    assert_eq!(
        config.users,
        [
            user(10, UserKindConfig::Clone, Some(0), true),
            user(11, UserKindConfig::Work, Some(12), true),
            user(12, UserKindConfig::Full, None, false),
        ]
    );
    assert_eq!(parse(&config.to_toml().unwrap(), Path::new("again")).unwrap(), config);
}

#[test]
fn mistakes_about_users() {
    let world = World::new();
    let clone = "[[user]]\nid = 10\nkind = \"clone\"\n";
    world.one("[[user]]\nkind = \"full\"", &[":3:", "id is missing", "id = 10"]);
    world.one("[[user]]\nid = 30000", &[":4:", "from 0 to 21473"]);
    world.one("[[user]]\nid = 10\n[[user]]\nid = 10", &[":6:", "there already (line 4)"]);
    world.one("[[user]]\nid = 10\nkind = \"clon\"", &[":5:", "\"clon\" does not exist", "clone"]);
    world.one("[[user]]\nid = 10\nkind = \"clon\"\nparent = 0", &[":5:", "does not exist"]);
    world.one(clone, &[":5:", "belongs to a user", "parent = 0"]);
    world.one("[[user]]\nid = 10\nparent = 0", &[":5:", "a full user has no parent", "kind = \"clone\""]);
    world.one("[[user]]\nid = 10\nkind = \"full\"\nparent = 0", &[":6:", "a full user has no parent"]);
    world.one(&format!("{clone}parent = 10"), &[":6:", "not its own parent"]);
    world.one(&format!("{clone}parent = \"0\""), &[":6:", "a whole number"]);
    world.one("[[user]]\nid = 0\nkind = \"work\"\nparent = 10", &[":5:", "user 0 is nobody's profile"]);
    world.one(
        &format!("{clone}parent = 0\n[[user]]\nid = 11\nkind = \"work\"\nparent = 10"),
        &[":10:", "user 10 is a profile itself", "parent = 0"],
    );
    world.one("[[user]]\nid = 10\nusb = false", &[":5:", "unknown key \"usb\""]);
    world.one("[[user]]\nid = 10\nusb_file_transfer = 1", &[":5:", "usb_file_transfer = true"]);
    world.one("[user]\nid = 10", &[":3:", "[[user]]"]);
}
