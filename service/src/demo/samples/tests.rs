//! The files are what they claim to be, as far as their own structure can say.

use super::*;

fn made(sample: Sample) -> Vec<u8> {
    let mut bytes = Vec::new();
    sample.write(&mut bytes).unwrap();
    bytes
}

fn be16(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap()))
}

fn be32(bytes: &[u8], at: usize) -> usize {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

mod jpeg {
    use super::*;

    /// Tag, type, count and the value or where it is, of each entry of the directory at `at`.
    fn directory(tiff: &[u8], at: usize) -> Vec<(usize, usize, usize, usize)> {
        let entries: Vec<_> = (0..be16(tiff, at))
            .map(|index| at + 2 + index * 12)
            .map(|entry| {
                let (kind, count) = (be16(tiff, entry + 2), be32(tiff, entry + 4));
                let width = [1, 1, 1, 2, 4, 8, 1, 1][kind];
                let inside = count * width <= 4;
                let place = if inside { entry + 8 } else { be32(tiff, entry + 8) };
                assert!(place + count * width <= tiff.len(), "a value lies outside");
                (be16(tiff, entry), kind, count, place)
            })
            .collect();
        assert!(entries.is_sorted_by(|a, b| a.0 < b.0), "tags are sorted");
        entries
    }

    fn tiff(jpeg: &[u8]) -> &[u8] {
        assert_eq!(&jpeg[..4], [0xFF, 0xD8, 0xFF, 0xE1], "start of image, then APP1");
        let body = &jpeg[6..4 + be16(jpeg, 4)];
        assert_eq!(&body[..14], b"Exif\0\0MM\0\x2A\0\0\0\x08");
        &body[6..]
    }

    fn place(tiff: &[u8], entries: &[(usize, usize, usize, usize)], tag: usize) -> Option<usize> {
        entries.iter().find(|it| it.0 == tag).map(|it| it.3.min(tiff.len()))
    }

    fn linked(tiff: &[u8], tag: usize) -> Option<usize> {
        place(tiff, &directory(tiff, 8), tag).map(|at| be32(tiff, at))
    }

    fn angle(tiff: &[u8], at: usize) -> f64 {
        let fraction =
            |index: usize| be32(tiff, at + index * 8) as f64 / be32(tiff, at + index * 8 + 4) as f64;
        fraction(0) + fraction(1) / 60.0 + fraction(2) / 3600.0
    }

    #[test]
    fn begins_and_ends_as_a_jpeg_and_differs_by_seed() {
        let first = made(Sample::Photo { seed: 1, located: false });
        assert!(first.ends_with(&[0xFF, 0xD9]));
        assert_eq!(first, made(Sample::Photo { seed: 1, located: false }));
        assert_ne!(first, made(Sample::Photo { seed: 2, located: false }));
        // The frame header follows the Exif segment: there is no second application segment.
        assert_eq!(first[4 + be16(&first, 4)..][..2], [0xFF, 0xC0]);
    }

    #[test]
    fn camera_and_date_can_be_read_back() {
        let jpeg = made(Sample::Photo { seed: 7, located: false });
        let tiff = tiff(&jpeg);
        let main = directory(tiff, 8);
        let make = place(tiff, &main, 0x010F).unwrap();
        assert!(tiff[make..].starts_with(b"Example Optics\0"));
        let exposure = directory(tiff, linked(tiff, 0x8769).unwrap());
        let taken = place(tiff, &exposure, 0x9003).unwrap();
        assert!(tiff[taken..].starts_with(b"2024:07:14 08:07:30\0"));
    }

    #[test]
    fn the_position_can_be_read_back() {
        let jpeg = made(Sample::Photo { seed: 1, located: true });
        let tiff = tiff(&jpeg);
        let gps = directory(tiff, linked(tiff, 0x8825).unwrap());
        assert_eq!(tiff[place(tiff, &gps, 1).unwrap()], b'N');
        assert!((angle(tiff, place(tiff, &gps, 2).unwrap()) - Location::MATTERHORN.latitude).abs() < 1e-5);
        assert_eq!(tiff[place(tiff, &gps, 3).unwrap()], b'E');
        assert!((angle(tiff, place(tiff, &gps, 4).unwrap()) - Location::MATTERHORN.longitude).abs() < 1e-5);
        assert_eq!(be32(tiff, place(tiff, &gps, 6).unwrap()), 44_780);
    }

    #[test]
    fn south_west_and_below_the_sea_are_kept_apart_from_the_numbers() {
        let place_below = Location { latitude: -33.5, longitude: -70.25, altitude: -12.5 };
        let segment = exif::segment(1, (1, 1), Some(&place_below));
        let tiff = &segment[10..];
        let gps = directory(tiff, linked(tiff, 0x8825).unwrap());
        assert_eq!(tiff[place(tiff, &gps, 1).unwrap()], b'S');
        assert_eq!(angle(tiff, place(tiff, &gps, 2).unwrap()), 33.5);
        assert_eq!(tiff[place(tiff, &gps, 3).unwrap()], b'W');
        assert_eq!(angle(tiff, place(tiff, &gps, 4).unwrap()), 70.25);
        assert_eq!(tiff[place(tiff, &gps, 5).unwrap()], 1);
        assert_eq!(be32(tiff, place(tiff, &gps, 6).unwrap()), 125);
    }

    #[test]
    fn a_picture_without_a_position_has_no_gps_directory() {
        let jpeg = made(Sample::Photo { seed: 1, located: false });
        assert_eq!(linked(tiff(&jpeg), 0x8825), None);
    }
}

#[test]
fn png_chunks_add_up() {
    assert_eq!(png::crc32(&[b"1234", b"56789"]), 0xCBF4_3926, "the check value of this CRC");
    let png = made(Sample::Screenshot);
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1A\n");
    let (mut at, mut names) = (8, Vec::new());
    while at < png.len() {
        let length = be32(&png, at);
        let (name, data) = (&png[at + 4..at + 8], &png[at + 8..at + 8 + length]);
        assert_eq!(be32(&png, at + 8 + length), png::crc32(&[name, data]) as usize);
        if name == b"IDAT" {
            let mut block = 2;
            let mut pixels = 0;
            loop {
                let size = u16::from_le_bytes([data[block + 1], data[block + 2]]);
                assert_eq!(!size, u16::from_le_bytes([data[block + 3], data[block + 4]]));
                pixels += usize::from(size);
                block += 5 + usize::from(size);
                if data[block - 5 - usize::from(size)] == 1 {
                    break;
                }
            }
            assert_eq!(pixels, (360 + 1) * 640);
            assert_eq!(data.len() - block, 4, "the checksum ends the stream");
        }
        names.push(String::from_utf8(name.to_vec()).unwrap());
        at += 12 + length;
    }
    assert_eq!(names, ["IHDR", "PLTE", "tEXt", "IDAT", "IEND"]);
}

mod mp4_boxes {
    use super::*;

    /// Name, start of the content and end of each box between `from` and `to`.
    fn boxes(file: &[u8], from: usize, to: usize) -> Vec<(String, usize, usize)> {
        let (mut at, mut found) = (from, Vec::new());
        while at < to {
            let end = at + be32(file, at);
            assert!(end > at && end <= to, "a box ends within its parent");
            found.push((String::from_utf8(file[at + 4..at + 8].to_vec()).unwrap(), at + 8, end));
            at = end;
        }
        found
    }

    fn find(file: &[u8], path: &[&str]) -> (usize, usize) {
        path.iter().fold((0, file.len()), |(from, to), name| {
            let found = boxes(file, from, to).into_iter().find(|it| it.0 == *name);
            let (_, start, end) = found.unwrap_or_else(|| panic!("no box {name}"));
            (start, end)
        })
    }

    fn check(bytes: usize) -> usize {
        let file = made(Sample::Video { bytes: bytes as u64 });
        assert_eq!(file.len(), bytes);
        let top: Vec<_> = boxes(&file, 0, file.len()).into_iter().map(|it| it.0).collect();
        assert_eq!(top[..3], ["ftyp", "moov", "mdat"]);

        let table = ["moov", "trak", "mdia", "minf", "stbl"];
        let (sizes, sizes_end) = find(&file, &[&table[..], &["stsz"]].concat());
        let (offsets, offsets_end) = find(&file, &[&table[..], &["stco"]].concat());
        let count = be32(&file, sizes + 8);
        assert_eq!((sizes_end - sizes, offsets_end - offsets), (12 + 4 * count, 8 + 4 * count));
        let (mdat, mdat_end) = find(&file, &["mdat"]);
        let mut next = mdat;
        for frame in 0..count {
            assert_eq!(be32(&file, offsets + 8 + 4 * frame), next, "frames follow each other");
            let end = next + be32(&file, sizes + 12 + 4 * frame);
            assert_eq!(file[next..next + 2], [0xFF, 0xD8]);
            assert_eq!(file[next + 6..next + 14], *format!("{frame:08}").as_bytes());
            assert_eq!(file[end - 2..end], [0xFF, 0xD9]);
            next = end;
        }
        assert_eq!(next, mdat_end, "the data is all frames");
        let (header, _) = find(&file, &["moov", "mvhd"]);
        assert_eq!(be32(&file, header + 16), count * 1000, "duration");
        count
    }

    #[test]
    fn every_size_is_met_exactly() {
        assert!(check(1 << 20) > 30, "a megabyte is more than a second");
        let pictures = [vec![0; 50], vec![0; 61], vec![0; 53]];
        for bytes in 5000..5200 {
            let file = mp4::Layout::plan(&pictures, bytes).unwrap();
            assert_eq!(u64::from(file.first_frame + file.data + file.padding), bytes);
            assert!(file.padding == 0 || file.padding >= 8, "{} is no box", file.padding);
        }
    }

    #[test]
    fn a_large_video_has_large_frames() {
        let count = check(32 << 20);
        assert!((60..130).contains(&count), "{count} frames");
    }

    #[test]
    fn impossible_sizes_are_refused() {
        for bytes in [0, 5000, largest_video() + 1] {
            let error = Sample::Video { bytes }.write(&mut io::sink()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{bytes}");
        }
    }
}

#[test]
fn flac_frames_decode_to_the_tune() {
    assert_eq!(flac::crc8(b"123456789"), 0xF4, "the check value of this CRC");
    assert_eq!(flac::crc16(b"123456789"), 0xFEE8, "the check value of this CRC");
    let file = made(Sample::Song);
    assert_eq!(&file[..4], b"fLaC");
    let (mut at, mut last) = (4, false);
    while !last {
        last = file[at] & 0x80 != 0;
        at += 4 + (be32(&file, at) & 0xFF_FFFF);
    }
    let tune = melody::samples(44_100, 0);
    let mut decoded: Vec<i16> = Vec::new();
    while at < file.len() {
        let start = at;
        assert_eq!(file[at..at + 2], [0xFF, 0xF8]);
        let short = file[at + 2] == 0x79;
        // All frame numbers of the song fit one byte.
        let header = 5 + if short { 2 } else { 0 };
        let length = if short { be16(&file, at + 5) + 1 } else { 4096 };
        assert_eq!(file[at + header], flac::crc8(&file[at..at + header]));
        at += header + 1;
        let stored = if file[at] == 2 { length } else { 1 };
        let values = file[at + 1..at + 1 + stored * 2].chunks_exact(2);
        let values: Vec<_> = values.map(|it| i16::from_be_bytes([it[0], it[1]])).collect();
        decoded.extend(values.iter().cycle().take(length));
        at += 1 + stored * 2;
        assert_eq!(be16(&file, at), usize::from(flac::crc16(&file[start..at])));
        at += 2;
    }
    assert_eq!(decoded, tune);
    assert!(tune.iter().any(|sample| sample.abs() > 5000), "it can be heard");
}

#[test]
fn wav_lengths_add_up() {
    let file = made(Sample::Memo);
    let le32 = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!((&file[..4], &file[8..16], &file[36..40]), (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..]));
    assert_eq!(le32(4) + 8, file.len());
    assert_eq!(le32(40) + 44, file.len());
}

#[test]
fn pdf_offsets_point_at_objects() {
    let mut bytes = Vec::new();
    pdf::write(&mut bytes, "A (b) \\c", &["one"]).unwrap();
    let file = String::from_utf8(bytes).unwrap();
    assert!(file.contains(r"(A \(b\) \\c) Tj"));
    let table: usize = file.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
    let lines: Vec<_> = file[table..].split_inclusive('\n').collect();
    assert_eq!(lines[..2], ["xref\n", "0 7\n"]);
    for (number, line) in lines[3..9].iter().enumerate() {
        assert_eq!(line.len(), 20);
        let offset: usize = line[..10].parse().unwrap();
        assert!(file[offset..].starts_with(&format!("{} 0 obj\n", number + 1)));
    }
    let length: usize = file.split("/Length ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let stream = file.split("stream\n").nth(1).unwrap().split("\nend").next().unwrap();
    assert_eq!(stream.len(), length);
}

#[test]
fn a_sample_survives_the_way_to_another_process() {
    for sample in [Sample::Photo { seed: 3, located: true }, Sample::Video { bytes: 5 << 20 }, Sample::Note] {
        let text = serde_json::to_string(&sample).unwrap();
        assert_eq!(serde_json::from_str::<Sample>(&text).unwrap(), sample);
    }
}
