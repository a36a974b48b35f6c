//! Measures the catalog with many rows: `cargo run --release --example catalog_bench [ROWS]` (a million by default).
//!
//! Every line is the median over many questions that differ, with the 95th percentile. "service" sees everything, "app" is an app
//! that may read images and owns each twentieth file, "few" one that may read nothing and owns each thousandth.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mediagate::catalog::{
    AudioFacts, Catalog, CatalogError, Criteria, FileKey, FileRow, FoundFacts, GroupBy, ImageFacts,
    MediaFacts, Projection, Query, Removal, Scope, Sort, Stamp, VolumeKey, Within,
};
use mediagate::observe::Observer;
use mediagate_policy::{Filter, MediaTypes};

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROWS: u64 = 1_000_000;
const FILES_IN_A_DIRECTORY: u64 = 1000;
/// 2024-01-01, in nanoseconds since 1970.
const BEGIN: i64 = 1_704_067_200_000_000_000;

fn main() -> Outcome<()> {
    let rows: u64 = std::env::args().nth(1).map_or(Ok(ROWS), |it| it.parse())?;
    let state = tempfile::tempdir()?;
    let catalog = Catalog::open(state.path(), Arc::new(Observer::default()))?;
    let volume = catalog.volume("external_primary", "emulated")?;

    let begin = Instant::now();
    fill(&catalog, volume, rows)?;
    report_rate("rows written", rows, begin.elapsed());
    let begin = Instant::now();
    add_facts(&catalog, volume, rows)?;
    report_rate("media facts written", rows, begin.elapsed());
    println!(
        "{:<44} {:>10} MiB",
        "catalog.db",
        std::fs::metadata(state.path().join("catalog.db"))?.len() >> 20
    );
    println!("{:<44} {:>10} MiB", "peak memory of writing", peak_memory()?);

    let service = [Scope { volume, user: 0, visible: Filter::Everything }];
    let app = [Scope { volume, user: 0, visible: images_and_own() }];
    let few = [Scope { volume, user: 0, visible: Filter::OwnedBy(vec!["com.example.few".into()]) }];
    for (who, scopes) in [("service", &service), ("app", &app), ("few", &few)] {
        queries(&catalog, volume, rows, who, scopes)?;
    }
    println!("{:<44} {:>10} MiB", "peak memory of queries", peak_memory()?);

    let gone = some_rows(&catalog, &service, 10_000)?;
    let begin = Instant::now();
    let removed = catalog.remove_rows(gone)?;
    println!("{:<44} {:>10.1} ms", format!("{removed} deletes in one batch"), millis(begin.elapsed()));
    println!("{:<44} {:>10} MiB", "peak memory of the deletes", peak_memory()?);
    Ok(())
}

fn queries(catalog: &Catalog, volume: VolumeKey, rows: u64, who: &str, scopes: &[Scope]) -> Outcome<()> {
    let query = |criteria: Criteria, sort: Sort, limit: usize| Query {
        scopes: scopes.to_vec(),
        criteria,
        sort,
        descending: sort != Sort::Name && sort != Sort::Title,
        limit: Some(limit),
        ..Query::default()
    };
    let dirs = rows.div_ceil(FILES_IN_A_DIRECTORY);
    let ask = |name: &str, times: u64, each: &dyn Fn(u64) -> Outcome<usize>| -> Outcome<()> {
        let mut all = Vec::new();
        let mut found = 0;
        for n in 0..times {
            let begin = Instant::now();
            match each(n) {
                Err(error) if is_too_much(&*error) => {
                    println!(
                        "{:<44} {:>10.3} ms: given up",
                        format!("{who}: {name}"),
                        millis(begin.elapsed())
                    );
                    return Ok(());
                }
                other => found = other?,
            }
            all.push(begin.elapsed());
        }
        report(&format!("{who}: {name}"), found, &mut all);
        Ok(())
    };
    let run = |query: &Query| -> Outcome<usize> { Ok(catalog.query(query)?.entries.len()) };

    ask("by id", 1000, &|n| {
        let ids = Some(vec![i64::try_from(mix(n) % rows)? + 1]);
        run(&query(Criteria { ids, ..Criteria::default() }, Sort::Name, 1))
    })?;
    ask("by place (the open's question)", 1000, &|n| {
        Ok(usize::from(catalog.file(&key(volume, mix(n) % rows))?.is_some()))
    })?;
    ask("by directory, 100 by name", 300, &|n| {
        let within = Within::Directory(dir(mix(n) % dirs));
        run(&query(Criteria { within, ..Criteria::default() }, Sort::Name, 100))
    })?;
    ask("by directory, 100 newest", 300, &|n| {
        let within = Within::Directory(dir(mix(n) % dirs));
        run(&query(Criteria { within, ..Criteria::default() }, Sort::Taken, 100))
    })?;
    ask("images, 100 newest", 300, &|_| {
        run(&query(Criteria { types: MediaTypes::IMAGE, ..Criteria::default() }, Sort::Taken, 100))
    })?;
    ask("images and videos, 100 newest", 300, &|_| {
        run(&query(Criteria { types: MediaTypes::VISUAL, ..Criteria::default() }, Sort::Taken, 100))
    })?;
    ask("images of a week, 100 newest", 300, &|n| {
        let start = (BEGIN / 1_000_000) + i64::try_from(n % 40)? * 604_800_000;
        let taken_ms = Some(start..start + 604_800_000);
        run(&query(Criteria { types: MediaTypes::IMAGE, taken_ms, ..Criteria::default() }, Sort::Taken, 100))
    })?;
    for sort in [Sort::Name, Sort::Modified, Sort::Added, Sort::Size, Sort::Title, Sort::Generation] {
        // The first of all files by these are found by looking at all files.
        let times = if matches!(sort, Sort::Name | Sort::Size | Sort::Title) { 5 } else { 100 };
        ask(&format!("everything, first 100 by {sort:?}"), times, &|_| {
            run(&query(Criteria::default(), sort, 100))
        })?;
    }
    ask("images with facts, 100 newest", 300, &|_| {
        let mut query = query(Criteria { types: MediaTypes::IMAGE, ..Criteria::default() }, Sort::Taken, 100);
        query.projection = Projection { media: true, location: false };
        run(&query)
    })?;
    let mut pages = query(Criteria { types: MediaTypes::VISUAL, ..Criteria::default() }, Sort::Taken, 100);
    let mut all = Vec::new();
    for _ in 0..500 {
        let begin = Instant::now();
        let page = catalog.query(&pages)?;
        all.push(begin.elapsed());
        pages.after = page.next;
        if pages.after.is_none() {
            break;
        }
    }
    report(&format!("{who}: pages 2 to 500 by cursor"), 100, &mut all[1..]);
    ask("tree of a directory, 100 by name", 100, &|n| {
        let within = Within::Tree(dir(mix(n) % dirs));
        run(&query(Criteria { within, ..Criteria::default() }, Sort::Name, 100))
    })?;
    ask("tree of half of all, 100 newest", 50, &|_| {
        let within = Within::Tree(b"DCIM".to_vec());
        run(&query(Criteria { within, ..Criteria::default() }, Sort::Taken, 100))
    })?;
    ask("what an album holds", 100, &|n| {
        let album = Some(format!("Album {}", mix(n) % 1000));
        run(&query(Criteria { album, ..Criteria::default() }, Sort::Title, 100))
    })?;
    ask("count of all images", 5, &|_| {
        let types = MediaTypes::IMAGE;
        Ok(usize::try_from(catalog.count_found(&query(
            Criteria { types, ..Criteria::default() },
            Sort::Name,
            1,
        ))?)?)
    })?;
    ask("albums of a gallery", 5, &|_| {
        let types = MediaTypes::VISUAL;
        Ok(catalog
            .groups(&query(Criteria { types, ..Criteria::default() }, Sort::Name, 1), GroupBy::Bucket)?
            .len())
    })
}

/// The service itself gives such a question up.
fn is_too_much(error: &(dyn Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(CatalogError::TooMuch(_)))
}

fn images_and_own() -> Filter {
    let own = Filter::OwnedBy(vec!["com.example.app7".into()]);
    let images = Filter::All(vec![Filter::OfTypes(MediaTypes::IMAGE), Filter::Published]);
    Filter::Any(vec![own, images])
}

fn fill(catalog: &Catalog, volume: VolumeKey, rows: u64) -> Outcome<()> {
    for n in 0..rows {
        catalog.upsert(key(volume, n), row(n));
        if n % 4096 == 0 {
            catalog.flush()?;
        }
    }
    Ok(catalog.flush()?)
}

fn add_facts(catalog: &Catalog, volume: VolumeKey, rows: u64) -> Outcome<()> {
    for n in 0..rows {
        let FileRow { ino, size, mtime_ns, media_type, .. } = row(n);
        let facts = match media_type {
            1 | 3 => MediaFacts {
                taken_ms: Some(mtime_ns / 1_000_000 - 60_000),
                width: Some(4000),
                height: Some(3000),
                image: Some(Box::new(ImageFacts { iso: Some(100), ..ImageFacts::default() })),
                ..MediaFacts::default()
            },
            2 => MediaFacts {
                title: Some(format!("Title {}", mix(n))),
                duration_ms: Some(180_000),
                audio: Some(Box::new(AudioFacts {
                    album: Some(format!("Album {}", n % 1000)),
                    artist: Some(format!("Artist {}", n % 300)),
                    ..AudioFacts::default()
                })),
                ..MediaFacts::default()
            },
            _ => continue,
        };
        let (file, stamp) = (key(volume, n).into(), Stamp { size, mtime_ns });
        catalog.set_media_facts(FoundFacts { file, ino, stamp, facts, location: None });
        if n % 4096 == 0 {
            catalog.flush()?;
        }
    }
    Ok(catalog.flush()?)
}

fn some_rows(catalog: &Catalog, scopes: &[Scope], count: usize) -> Outcome<Vec<Removal>> {
    let query = Query { scopes: scopes.to_vec(), sort: Sort::Size, limit: Some(count), ..Query::default() };
    let entries = catalog.query(&query)?.entries;
    Ok(entries.into_iter().map(|it| Removal { id: it.id, ino: it.row.ino, key: it.key }).collect())
}

/// Scatters neighbours.
fn mix(n: u64) -> u64 {
    n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

fn dir(n: u64) -> Vec<u8> {
    let top = if n.is_multiple_of(2) { "DCIM" } else { "Pictures" };
    format!("{top}/Directory {n}").into_bytes()
}

fn key(volume: VolumeKey, n: u64) -> FileKey {
    let name = format!("IMG_{:08}_{n}.jpg", mix(n) % 100_000_000).into_bytes();
    FileKey { volume, user: 0, dir: dir(n / FILES_IN_A_DIRECTORY), name }
}

fn row(n: u64) -> FileRow {
    let (media_type, mime) = match n % 10 {
        0..=6 => (1, "image/jpeg"),
        7 => (2, "audio/mpeg"),
        8 => (3, "video/mp4"),
        _ => (0, "application/octet-stream"),
    };
    FileRow {
        owner: Some(match n % 1000 {
            0 => "com.example.few".into(),
            _ => format!("com.example.app{}", mix(n) / 7 % 20).into(),
        }),
        mime: mime.into(),
        media_type,
        ino: n + 100,
        birth: 1,
        size: mix(n) % 10_000_000,
        // A year, in no order.
        mtime_ns: BEGIN + i64::try_from(mix(n) % 31_536_000).unwrap_or_default() * 1_000_000_000,
        ..FileRow::default()
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn report(name: &str, found: usize, all: &mut [Duration]) {
    all.sort();
    let median = all[all.len() / 2];
    let late = all[all.len() * 95 / 100];
    println!("{name:<44} {:>10.3} ms {:>10.3} ms (found {found})", millis(median), millis(late));
}

fn report_rate(name: &str, count: u64, time: Duration) {
    println!("{name:<44} {:>10.0} /s", count as f64 / time.as_secs_f64());
}

/// In MiB, of this process since it was asked last.
fn peak_memory() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|it| it.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    // proc_pid_clear_refs(5): the peak begins anew.
    std::fs::write("/proc/self/clear_refs", "5")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? >> 10)
}
