//! The names in `stats --json` are a promise: whoever watches them must not lose them.

use crate::world;

/// Those of `policy.denials.<rule>` come with the rules, when first counted.
const NAMES: &str = "
backing.files backing.parked backing.registered backing.reused
catalog.commits catalog.errors catalog.queue catalog.readers catalog.reads catalog.writes catalog.writes_dropped
fuse.busy_polls.in_vain fuse.busy_polls.met fuse.bytes.read fuse.bytes.written fuse.panics
fuse.requests.access fuse.requests.copy_file_range fuse.requests.create fuse.requests.fallocate fuse.requests.flush
fuse.requests.forget fuse.requests.fsync fuse.requests.fsyncdir fuse.requests.getattr fuse.requests.link
fuse.requests.ioctl fuse.requests.lookup fuse.requests.lseek fuse.requests.mkdir fuse.requests.mknod fuse.requests.open
fuse.requests.opendir fuse.requests.poll fuse.requests.read fuse.requests.readdir fuse.requests.readdirplus fuse.requests.readlink
fuse.requests.release fuse.requests.releasedir fuse.requests.rename fuse.requests.rmdir fuse.requests.setattr
fuse.requests.statfs fuse.requests.symlink fuse.requests.unlink fuse.requests.write fuse.requests.xattr
handles.all handles.directories handles.files handles.listed_entries
index.first_seen lower.directories lower.owner_reads
nodes nodes.lookups
notify.failed notify.sent
open.daemon open.daemon.inode_in_daemon_mode open.daemon.passthrough_off open.daemon.redacted_view
open.daemon.register_failed open.daemon.register_no_resources open.daemon.register_not_permitted
open.daemon.register_stacking open.daemon.total_budget open.daemon.uid_budget
open.passthrough open.stale
passthrough.legacy passthrough.upstream
policy.decisions policy.denials
private.bound
process.open_fds
redaction.findings_known redaction.looks redaction.opens_from_cache redaction.opens_refused redaction.reads_blanked redaction.reads_while_written
redaction.writers_beside_readers
scan.facts_incomplete scan.facts_panics scan.facts_read
upkeep.departing upkeep.disowned upkeep.expired upkeep.extended upkeep.runs
volumes
watch.events watch.hushed watch.overflows watch.own_events watch.pending watch.rescans watch.volumes watchdog.slow_requests
";
const GAUGES: [&str; 18] = [
    "backing.files",
    "backing.parked",
    "catalog.queue",
    "catalog.readers",
    "handles.all",
    "handles.directories",
    "handles.files",
    "handles.listed_entries",
    "lower.directories",
    "nodes",
    "nodes.lookups",
    "passthrough.legacy",
    "passthrough.upstream",
    "process.open_fds",
    "upkeep.departing",
    "volumes",
    "watch.pending",
    "watch.volumes",
];

#[test]
fn the_names_of_the_numbers_stay() {
    let mut world = world();
    let stats: Vec<serde_json::Value> =
        serde_json::from_str(&world.daemon().cli(&["stats", "--json"])).unwrap();
    let name = |stat: &serde_json::Value| stat["name"].as_str().unwrap().to_owned();
    let mut names: Vec<String> = stats.iter().map(name).collect();
    assert!(names.is_sorted());
    names.retain(|name| !name.starts_with("policy.denials."));
    let mut promised: Vec<&str> = NAMES.split_whitespace().collect();
    promised.sort_unstable();
    assert_eq!(names, promised);
    let gauges: Vec<String> = stats.iter().filter(|stat| stat["gauge"] == true).map(name).collect();
    assert_eq!(gauges, GAUGES);
}

#[test]
fn dump_shows_what_there_is() {
    let mut world = world();
    let mut camera = world.app("com.example.camera");
    camera.create(world.shared("DCIM/a.jpg"), b"x").unwrap();
    // Shares the backing file of the one before, or finds it parked.
    let _open = camera.open(world.shared("DCIM/a.jpg"), libc::O_RDONLY).unwrap();
    let dump = world.daemon().cli(&["dump"]);
    for part in [
        "VOLUMES\n  external_primary (emulated)",
        "session: none",
        "NODES\n",
        "HANDLES\n  1 files",
        "HANDLES BY UID\n  10101: 1\n",
        "BACKING FILES BY UID\n  10101: 1\n",
        "QUEUES\n  writes to the catalog: ",
        "notices to the kernel, external_primary: ",
        "CACHES\n  backing files, by open: 1 of 2 hits (50%)\n",
        "REQUESTS IN FLIGHT",
        "SLOWEST REQUESTS\n  ",
        "LAST WARNINGS AND ERRORS\n",
        "com.example.camera",
    ] {
        assert!(dump.contains(part), "{part} in\n{dump}");
    }
}
