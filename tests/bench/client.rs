//! The app that is measured: a process of its own with the app's uid, started for one workload. Says on its standard output
//! how many microseconds one operation took, and what else there is to say, as JSON.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

const BLOCK: [u8; 4096] = [b'x'; 4096];

/// `client UID WORKLOAD DIR COUNT`.
pub(crate) fn main(arguments: &[String]) {
    let [uid, workload, dir, count] = arguments else { panic!("client UID WORKLOAD DIR COUNT") };
    let (uid, count): (u32, usize) = (uid.parse().unwrap(), count.parse().unwrap());
    if uid != 0 {
        mediagate_tests::become_app(uid);
    }
    let dir = Path::new(dir);
    let files = |dir: &str, ending: &str| -> Vec<PathBuf> { paths(dir.as_ref(), ending, count) };
    let (flat, new) = (dir.join("flat"), dir.join("new"));
    let (flat, new) = (flat.to_str().unwrap(), new.to_str().unwrap());
    let each = |paths: &[PathBuf], work: &mut dyn FnMut(&PathBuf)| {
        let begin = Instant::now();
        paths.iter().for_each(work);
        begin.elapsed().as_secs_f64() * 1e6 / paths.len() as f64
    };
    let mut latency = Vec::new();
    let took = match workload.as_str() {
        "stat" => each(&files(flat, "jpg"), &mut |it| _ = std::fs::symlink_metadata(it).unwrap()),
        "stat plain" => each(&files(flat, "txt"), &mut |it| _ = std::fs::symlink_metadata(it).unwrap()),
        "missing" => each(&files(flat, "none"), &mut |it| assert!(std::fs::symlink_metadata(it).is_err())),
        "open" | "open plain" => {
            let paths = files(flat, if workload == "open" { "jpg" } else { "txt" });
            latency.reserve(paths.len());
            each(&paths, &mut |it| {
                let begin = Instant::now();
                let file = File::open(it).unwrap();
                latency.push(begin.elapsed().as_secs_f64() * 1e6);
                read(&file);
            })
        }
        "create" => each(&files(new, "txt"), &mut |it| {
            let file = File::options().write(true).create_new(true).mode(0o666).open(it).unwrap();
            file.write_all_at(&BLOCK, 0).unwrap();
        }),
        "rename" => {
            let to = files(new, "new.txt");
            let mut to = to.iter();
            each(&files(new, "txt"), &mut |it| std::fs::rename(it, to.next().unwrap()).unwrap())
        }
        "unlink" => each(&files(new, "new.txt"), &mut |it| std::fs::remove_file(it).unwrap()),
        "readdir" | "readdir+stat" => {
            let begin = Instant::now();
            let mut entries = 0;
            for entry in std::fs::read_dir(dir).unwrap() {
                entries += 1;
                if workload != "readdir" {
                    entry.unwrap().metadata().unwrap();
                }
            }
            begin.elapsed().as_secs_f64() * 1e6 / f64::from(entries)
        }
        "hold" => {
            let most = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).unwrap().1;
            nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, most, most).unwrap();
            let mut held = Vec::new();
            each(&files(flat, "txt"), &mut |it| held.push(File::open(it).unwrap()))
        }
        other => panic!("no workload {other}"),
    };
    latency.sort_by(f64::total_cmp);
    let at = |part: f64| latency.get((part * (latency.len().max(1) - 1) as f64) as usize).copied();
    println!("{}", serde_json::json!({ "us": took, "p50": at(0.5), "p99": at(0.99), "max": at(1.0) }));
}

fn read(mut file: &File) {
    let mut block = BLOCK;
    assert_ne!(file.read(&mut block).unwrap(), 0);
}

fn paths(dir: &Path, ending: &str, count: usize) -> Vec<PathBuf> {
    (0..count).map(|number| dir.join(format!("{number}.{ending}"))).collect()
}
