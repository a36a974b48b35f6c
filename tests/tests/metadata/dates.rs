//! When a picture was made, where its clock says no zone.

use super::make::still;
use super::oracle::millis;
use super::tools::{Room, facts, tag};

fn taken(tags: &[&str], modified: &str) -> Option<i64> {
    let room = Room::new();
    let file = still(&room, "a.jpg");
    tag(&file, tags);
    let modified = std::time::UNIX_EPOCH + std::time::Duration::from_millis(millis(modified).unsigned_abs());
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
    facts(&file).facts.taken_ms
}

const LOCAL: &str = "-EXIF:DateTimeOriginal=2023:07:08 09:10:11";

#[test]
fn the_offset_decides() {
    let tags = [LOCAL, "-EXIF:OffsetTimeOriginal=-03:30"];
    assert_eq!(taken(&tags, "2023-07-08T00:00:00Z"), Some(millis("2023-07-08T12:40:11Z")));
}

#[test]
fn gps_is_the_first_witness() {
    let tags = [LOCAL, "-EXIF:GPSDateStamp=2023:07:08", "-EXIF:GPSTimeStamp=07:09:55"];
    assert_eq!(taken(&tags, "2023-07-08T20:00:00Z"), Some(millis("2023-07-08T07:10:11Z")));
    // Alone it is the time itself.
    assert_eq!(taken(&tags[1..], "2023-07-08T20:00:00Z"), Some(millis("2023-07-08T07:09:55Z")));
}

#[test]
fn the_modification_time_is_the_second() {
    assert_eq!(taken(&[LOCAL], "2023-07-08T03:41:00Z"), Some(millis("2023-07-08T03:40:11Z")));
    // Too far away to be a zone.
    assert_eq!(taken(&[LOCAL], "2023-07-10T03:41:00Z"), None);
}

#[test]
fn without_any_date_there_is_none() {
    assert_eq!(taken(&["-EXIF:ISO=100"], "2023-07-10T03:41:00Z"), None);
}
