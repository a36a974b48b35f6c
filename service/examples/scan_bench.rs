//! Measures scans: `cargo run --release --example scan_bench [FILES] [DIR]` (100,000 files in a temporary directory by
//! default). Needs root and /dev/fuse, as the service does.
//!
//! "Cold" is the first scan of files that the index does not know (half of them pictures, whose facts are read),
//! "unchanged" the second one. "listing" is one of 10,000 files through the mount, for an app that owns each third of them and
//! sees no others, by the app's own clock. The service itself is measured, with its mount, beside nothing else; the memory
//! is the most that it had during each step.

use std::error::Error;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use mediagate::config;
use mediagate::serve::Service;

type Outcome<T> = Result<T, Box<dyn Error>>;

const FILES: usize = 100_000;
const FILES_IN_A_DIRECTORY: usize = 500;

/// Of the directory that is listed.
const LISTED: usize = 10_000;
const APP: u32 = 10_101;
const PACKAGE: &str = "com.example.app";
/// The argument that makes this program the app that lists.
const LIST: &str = "--list";

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|it| it == LIST).is_some() {
        return list(&arguments.next().ok_or("no directory")?);
    }
    let files = arguments.next().map_or(Ok(FILES), |it| it.parse())?;
    let room = match arguments.next() {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    };
    let (lower, mount) = (room.path().join("lower"), room.path().join("mount"));
    std::fs::create_dir_all(&lower)?;
    std::fs::create_dir_all(&mount)?;
    fill(&lower.join("0"), files)?;
    fill_listed(&lower.join("0/Download/listed"))?;

    let file = room.path().join("mediagate.toml");
    std::fs::write(&file, configuration(room.path(), &lower, &mount))?;
    let service = Service::start(config::load(&file)?)?;
    let control = service.control();
    let first = settled(&control.scans(), || control.scans())?;
    report("cold", files + LISTED, first)?;
    for (name, path) in
        [("unchanged", None), ("unchanged, again", None), ("one directory of it", Some("0/Pictures/d0"))]
    {
        let path = path.map(|path| mount.join(path).into_os_string().into_encoded_bytes());
        let begun = control.scan(path.as_deref())?;
        let count = if path.is_some() { FILES_IN_A_DIRECTORY } else { files + LISTED };
        let ticket = begun[0].ticket;
        let scan = loop {
            let scans = control.scans();
            match scans.into_iter().find(|scan| scan.ticket == ticket && scan.is_over()) {
                Some(scan) => break scan,
                None => std::thread::sleep(Duration::from_micros(200)),
            }
        };
        report(name, count, scan)?;
    }
    // Where any uid can start it.
    std::os::unix::fs::chown(room.path(), Some(APP), None)?;
    let program = room.path().join("scan_bench");
    std::fs::copy(std::env::current_exe()?, &program)?;
    let dir = mount.join("0/Download/listed");
    let listed = Command::new(&program).args([LIST.as_ref(), dir.as_os_str()]).uid(APP).gid(APP).output()?;
    print!("{}{}", String::from_utf8_lossy(&listed.stdout), String::from_utf8_lossy(&listed.stderr));
    println!("{:<24} {:>10} MiB", "peak memory of listing", peak_memory()?);
    service.stop();
    Ok(())
}

type Scan = mediagate::control::ScanStatus;

/// Waits for the scan that attaching began.
fn settled(first: &[Scan], again: impl Fn() -> Vec<Scan>) -> Outcome<Scan> {
    let begin = Instant::now();
    let mut scans = first.to_vec();
    while begin.elapsed() < Duration::from_secs(600) {
        if let Some(scan) = scans.iter().find(|scan| scan.is_over()) {
            return Ok(scan.clone());
        }
        std::thread::sleep(Duration::from_millis(1));
        scans = again();
    }
    Err("the first scan does not end".into())
}

/// Lists a directory some times, as whoever runs this.
fn list(dir: &str) -> Outcome<()> {
    let mut all = Vec::new();
    let mut count = 0;
    for _ in 0..21 {
        let begin = Instant::now();
        count = std::fs::read_dir(dir)?.map(|it| it.map(drop)).collect::<Result<Vec<_>, _>>()?.len();
        all.push(begin.elapsed());
    }
    let first = all[0];
    all.sort();
    println!(
        "{:<24} {count:>8} of {LISTED} files: {:>8.1} ms median, {:>8.1} ms the first time",
        "listing",
        all[all.len() / 2].as_secs_f64() * 1000.0,
        first.as_secs_f64() * 1000.0
    );
    Ok(())
}

fn report(name: &str, files: usize, scan: Scan) -> Outcome<()> {
    let rate = files as f64 * 1000.0 / scan.walk_millis.max(1) as f64;
    println!(
        "{name:<24} {:>8} files {:>8} ms walked in {:>6} ms: {rate:>8.0} files/s   added {}, read {}",
        scan.files, scan.millis, scan.walk_millis, scan.added, scan.read
    );
    println!("{:<24} {:>10} MiB", format!("peak memory of {name}"), peak_memory()?);
    Ok(())
}

/// Pictures and texts, in directories of some hundred.
fn fill(root: &Path, files: usize) -> Outcome<()> {
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x02\0\0\0\x03\x08\0\0\0\0crc!\0\0\0\0IEND\0\0\0\0";
    for number in 0..files {
        let dir: PathBuf = root.join("Pictures").join(format!("d{}", number / FILES_IN_A_DIRECTORY));
        if number % FILES_IN_A_DIRECTORY == 0 {
            std::fs::create_dir_all(&dir)?;
        }
        let (ending, bytes): (_, &[u8]) = if number % 2 == 0 { ("png", picture) } else { ("txt", b"text") };
        std::fs::write(dir.join(format!("IMG_20240101_{number:06}.{ending}")), bytes)?;
    }
    Ok(())
}

/// Files of which the app owns each third.
fn fill_listed(dir: &Path) -> Outcome<()> {
    std::fs::create_dir_all(dir)?;
    for number in 0..LISTED {
        let path = dir.join(format!("document_{number:05}.pdf"));
        std::fs::write(&path, b"text")?;
        let owner = if number % 3 == 0 { PACKAGE } else { "com.example.other" };
        rustix::fs::setxattr(
            &path,
            "user.mediagate.owner",
            owner.as_bytes(),
            rustix::fs::XattrFlags::empty(),
        )?;
    }
    Ok(())
}

fn configuration(room: &Path, lower: &Path, mount: &Path) -> String {
    format!(
        "[service]\nstate_dir = {:?}\nlisten = []\n\n[[volume]]\nname = \"external_primary\"\nkind = \"emulated\"\n\
         lower = {lower:?}\nmount = {mount:?}\nusers = [0]\n\n\
         [[package]]\nname = {PACKAGE:?}\napp_id = {APP}\n\n\
         [[package]]\nname = \"com.example.other\"\napp_id = 10102\n",
        room.join("state")
    )
}

/// In MiB, of this process since it was asked last.
fn peak_memory() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM")).ok_or("no VmHWM")?;
    // proc_pid_clear_refs(5): the peak begins anew.
    std::fs::write("/proc/self/clear_refs", "5")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse::<u64>()? / 1024)
}
