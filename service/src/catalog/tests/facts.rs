//! What is found in media files.

use super::*;

fn found(world: &World, name: &str, facts: MediaFacts) -> FoundFacts {
    let file = world.key("d", name).into();
    FoundFacts { file, ino: 7, stamp: Stamp { size: 8, mtime_ns: 9 }, facts, location: None }
}

fn entry(world: &World, name: &str) -> Entry {
    world.catalog.flush().unwrap();
    let both = Projection { media: true, location: true };
    world.catalog.entry(&world.key("d", name).into(), both).unwrap().unwrap()
}

fn everything() -> MediaFacts {
    let text = |it: &str| Some(it.to_owned());
    MediaFacts {
        mime: text("image/heic"),
        title: text("Title"),
        taken_ms: Some(-5),
        width: Some(u32::MAX),
        height: Some(0),
        orientation: Some(270),
        duration_ms: Some(i64::MAX as u64),
        bitrate: Some(1),
        audio: Some(Box::new(AudioFacts {
            artist: text("a"),
            album: text("b"),
            album_artist: text("c"),
            composer: text("d"),
            genre: text("e"),
            track: Some(2),
            disc: Some(3),
            tracks: Some(4),
            year: Some(-44),
            compilation: Some(false),
            sample_rate: Some(5),
            bits_per_sample: Some(6),
            has_album_art: true,
        })),
        video: Some(Box::new(VideoFacts {
            codec: text("f"),
            frame_rate_milli: Some(7),
            color_standard: Some(8),
            color_transfer: Some(9),
            color_range: Some(10),
        })),
        image: Some(Box::new(ImageFacts {
            exposure_time: text("1/60"),
            f_number: text("1.8"),
            iso: Some(11),
            scene_capture_type: Some(12),
            description: text("g"),
            special_format: Some(SpecialFormat::MotionPhoto),
        })),
        xmp: Some(Box::new(XmpIds {
            document: text("h"),
            instance: text("i"),
            original_document: text("j"),
        })),
    }
}

#[test]
fn facts_come_back_as_they_were_found() {
    let world = World::new();
    let kinds = [
        everything(),
        MediaFacts::default(),
        MediaFacts { audio: Some(Box::default()), ..MediaFacts::default() },
        MediaFacts { video: Some(Box::default()), ..MediaFacts::default() },
        MediaFacts { image: Some(Box::default()), ..MediaFacts::default() },
        MediaFacts { xmp: Some(Box::default()), ..MediaFacts::default() },
    ];
    for (n, facts) in kinds.into_iter().enumerate() {
        let name = n.to_string();
        world.put("d", &name, row("a"));
        assert_eq!(entry(&world, &name).media, None);
        world.catalog.set_media_facts(found(&world, &name, facts.clone()));
        let entry = entry(&world, &name);
        assert_eq!((entry.taken_ms, &entry.title), (facts.taken_ms, &facts.title));
        assert_eq!(entry.media.as_deref(), Some(&facts));
    }
    assert_eq!(entry(&world, "0").row.mime, "image/heic");
    let odd = MediaFacts {
        mime: Some("video/mp4".into()),
        title: Some("\0".into()),
        audio: Some(Box::new(AudioFacts { year: Some(0), ..AudioFacts::default() })),
        ..MediaFacts::default()
    };
    world.catalog.set_media_facts(found(&world, "1", odd));
    let entry = entry(&world, "1");
    assert_eq!(entry.row.mime, "image/jpeg", "of another kind than the name says");
    let media = entry.media.unwrap();
    assert_eq!((media.title, media.audio.unwrap().year), (None, None));
}

#[test]
fn facts_are_of_one_version_of_one_file() {
    let world = World::new();
    world.put("d", "f", row("a"));
    let facts = found(&world, "f", everything());
    let id = world.catalog.upsert_now(world.key("d", "f"), row("a")).unwrap();
    for wrong in [
        FoundFacts { ino: 8, ..facts.clone() },
        FoundFacts { stamp: Stamp { size: 9, mtime_ns: 9 }, ..facts.clone() },
        FoundFacts { stamp: Stamp { size: 8, mtime_ns: 8 }, ..facts.clone() },
        FoundFacts { file: At::Id(id + 1), ..facts.clone() },
        FoundFacts { file: world.key("d", "g").into(), ..facts.clone() },
    ] {
        world.catalog.set_media_facts(wrong);
        assert_eq!(entry(&world, "f").media, None);
    }
    let unscanned = || {
        world.catalog.flush().unwrap();
        world.catalog.unscanned(world.volume, 0, 9).unwrap().len()
    };
    assert_eq!(unscanned(), 1);
    world.catalog.set_media_facts(FoundFacts { file: At::Id(id), ..facts });
    assert_eq!((unscanned(), entry(&world, "f").media.is_some()), (0, true));
    // Written to: what was found may not be so any more, but is all there is.
    world.catalog.refresh(world.key("d", "f"), (7, 0), 80, 90);
    assert_eq!((unscanned(), entry(&world, "f").media.is_some()), (1, true));
    // Another file.
    world
        .catalog
        .set_states(vec![(id, StateChange { favorite: Some(true), ..StateChange::default() })])
        .unwrap();
    world.put("d", "f", FileRow { ino: 8, ..row("a") });
    let other = entry(&world, "f");
    assert_eq!(
        (other.id, other.favorite, other.taken_ms, other.title, other.media),
        (id, false, None, None, None)
    );
}

#[test]
fn facts_that_say_nothing_new_stamp_nothing() {
    let world = World::new();
    world.put("d", "f", row("a"));
    let at = Location { latitude_e7: 1, longitude_e7: -2 };
    let facts = FoundFacts { location: Some(at), ..found(&world, "f", everything()) };
    world.catalog.set_media_facts(facts.clone());
    let first = entry(&world, "f");
    assert_eq!(first.location, Some(at));
    world.catalog.set_media_facts(facts.clone());
    assert_eq!(entry(&world, "f"), first);
    world.catalog.set_media_facts(FoundFacts { location: None, ..facts });
    let second = entry(&world, "f");
    assert!(second.generation_modified > first.generation_modified);
    assert_eq!((second.location, second.generation_added), (None, first.generation_added));
}

#[test]
fn what_was_found_goes_with_the_row_and_is_given_to_nobody_unasked() {
    let world = World::new();
    world.put("d", "f", row("a"));
    let at = Some(Location { latitude_e7: 1, longitude_e7: 2 });
    world.catalog.set_media_facts(FoundFacts { location: at, ..found(&world, "f", everything()) });
    world.catalog.flush().unwrap();
    let scopes = vec![Scope { volume: world.volume, user: 0, visible: mediagate_policy::Filter::Everything }];
    let query = Query { scopes, ..Query::default() };
    let page = world.catalog.query(&query).unwrap();
    assert_eq!((page.entries[0].location, &page.entries[0].media), (None, &None));
    let projection = Projection { media: true, location: false };
    let page = world.catalog.query(&Query { projection, ..query }).unwrap();
    assert_eq!((page.entries[0].location, page.entries[0].media.as_deref()), (None, Some(&everything())));
    world.catalog.rename_file(world.key("d", "f"), world.key("d", "g"), renamed("image/heic", 1));
    assert_eq!(entry(&world, "g").location, at);
    assert!(world.catalog.unscanned(world.volume, 0, 9).unwrap().is_empty());
    world.catalog.rename_file(world.key("d", "g"), world.key("d", "h.png"), renamed("image/png", 1));
    world.catalog.flush().unwrap();
    assert_eq!(world.catalog.unscanned(world.volume, 0, 9).unwrap().len(), 1, "its name says something else");
    world.catalog.remove(world.key("d", "h.png"));
    assert_eq!(world.ask("SELECT (SELECT count(*) FROM media) + (SELECT count(*) FROM locations)"), 0);
}

#[test]
fn only_media_is_to_be_scanned() {
    let world = World::new();
    for media_type in 0..7 {
        world.put("d", media_type.to_string(), FileRow { media_type, ..row("a") });
    }
    world.catalog.flush().unwrap();
    let todo = world.catalog.unscanned(world.volume, 0, 3).unwrap();
    let types = |all: &[Entry]| all.iter().map(|it| it.row.media_type).collect::<Vec<_>>();
    assert_eq!(types(&todo), [1, 2, 3]);
    assert_eq!(types(&world.catalog.unscanned(world.volume, todo[2].id, 3).unwrap()), [4]);
}
