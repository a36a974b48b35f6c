use proptest::prelude::*;

use super::samples::{IN_GPS, XMP, chunk, exif, hidden, jpeg, segment};
use super::*;

/// One of each container, with a location.
fn files() -> Vec<(Format, Vec<u8>)> {
    let app1 = segment(0xe1, &[b"Exif\0\0", &exif(true)]);
    let jpeg = jpeg(&[app1, segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", XMP])]);
    let png = [b"\x89PNG\r\n\x1a\n", chunk(b"eXIf", &[&exif(true)]).as_slice()].concat();
    let webp = [b"RIFF\0\0\0\0WEBPEXIF", &(exif(true).len() as u32).to_le_bytes()[..], &exif(true)].concat();
    let magic: Vec<u8> = [1, 255].into_iter().chain((0..=254).rev()).chain([0]).collect();
    let gif = [b"GIF89a\x01\0\x01\0\0\0\0!\xff\x0bXMP DataXMP", XMP, &magic, b";"].concat();
    let resource = [b"8BIM\x04\x22\0\0", &(exif(true).len() as u32).to_be_bytes()[..], &exif(true)].concat();
    let psd =
        [&b"8BPS\0\x01"[..], &[0; 20], &[0; 4], &(resource.len() as u32).to_be_bytes(), &resource].concat();
    let mut raf = b"FUJIFILMCCD-RAW ".to_vec();
    raf.resize(84, 0);
    raf.extend([92u32.to_be_bytes(), (jpeg.len() as u32).to_be_bytes()].concat());
    raf.extend(&jpeg);
    let block = [b"\0TTW", &(exif(true).len() as u32).to_be_bytes()[..], &exif(true)].concat();
    let mrw = [b"\0MRM", &(block.len() as u32).to_be_bytes()[..], &block].concat();
    let xmp = [b"<?xpacket?>", XMP].concat();
    vec![
        (Format::Jpeg, jpeg),
        (Format::Tiff, exif(false)),
        (Format::Png, png),
        (Format::Webp, webp),
        (Format::Gif, gif),
        (Format::Psd, psd),
        (Format::Raf, raf),
        (Format::Mrw, mrw),
        (Format::Xmp, xmp),
    ]
}

#[test]
fn each_container_is_known_by_its_first_bytes_and_looked_into() {
    for (format, data) in files() {
        let report = find(&data).unwrap();
        assert_eq!(report.format, format);
        let values = hidden(&data, &report.findings);
        if matches!(format, Format::Gif | Format::Xmp) {
            assert_eq!(values, [b"12,34N"]);
        } else {
            assert!(values.starts_with(&IN_GPS), "{format:?}: {values:?}");
        }
    }
}

#[test]
fn nothing_is_found_twice() {
    for (format, mut data) in files() {
        for finding in find(&data).unwrap().findings {
            finding.fill.fill(&mut data[finding.start as usize..finding.end as usize]);
        }
        let left = find(&data).unwrap().findings;
        assert!(
            left.iter().all(|finding| matches!(finding.what, What::Digest { .. })),
            "{format:?}: {left:?}"
        );
    }
}

#[test]
fn other_files_tell_nothing() {
    for data in [&b""[..], b"\xff", b"text", b"GPS"] {
        assert_eq!(find(&data).unwrap(), Report::default());
    }
}

/// A file of four gigabytes of which only the first bytes are anything.
#[derive(Debug)]
struct Vast {
    head: Vec<u8>,
    read: std::cell::Cell<u64>,
}

impl ReadAt for Vast {
    fn len(&self) -> u64 {
        4 << 30
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
        self.read.set(self.read.get() + buffer.len() as u64);
        buffer.fill(0);
        self.head.read_at(buffer, offset)?;
        Ok(buffer.len())
    }
}

#[test]
fn a_vast_file_costs_no_more_than_its_metadata() {
    // A JPEG has to be searched for its end: that has a budget of its own.
    for (format, head) in
        files().into_iter().filter(|(format, _)| !matches!(format, Format::Jpeg | Format::Xmp))
    {
        let file = Vast { head, read: Default::default() };
        find(&file).unwrap();
        assert!(file.read.get() < 1 << 17, "{format:?}: {} bytes were read", file.read.get());
    }
}

proptest! {
    #[test]
    fn damaged_files(
        n in 0usize..9,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let (_, mut data) = files().swap_remove(n);
        for (at, byte) in changes {
            let at = at.index(data.len());
            data[at] = byte;
        }
        data.truncate(data.len() - cut.index(data.len()) / 4);
        if let Ok(report) = find(&data) {
            for finding in report.findings {
                prop_assert!(finding.start <= finding.end && finding.end <= data.len() as u64, "{finding:?}");
            }
        }
    }

    #[test]
    fn random_bytes_behind_a_beginning(n in 0usize..9, length in 0usize..64, rest in prop::collection::vec(any::<u8>(), 0..600)) {
        let (_, mut data) = files().swap_remove(n);
        data.truncate(length);
        data.extend(rest);
        if let Ok(report) = find(&data) {
            for finding in report.findings {
                prop_assert!(finding.end <= data.len() as u64, "{finding:?}");
            }
        }
    }
}

/// A file that is looked at for too long.
#[derive(Debug)]
struct Late(Vec<u8>);

impl ReadAt for Late {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn is_late(&self) -> bool {
        true
    }
}

#[test]
fn a_look_ends_when_it_takes_too_long() {
    let dots = segment(0xe1, &[b"Exif\0\0", &exif(true)]);
    let scan = vec![7; 1 << 20];
    assert!(matches!(
        find(&Late([jpeg(std::slice::from_ref(&dots)), scan].concat())),
        Err(Unreadable::TooMuch)
    ));
    // Nobody asks for the time of a short one.
    find(&Late(jpeg(&[dots]))).unwrap();
    // Nor does what is put together from pieces hide it.
    let many = XMP.to_vec().into_iter().chain(b"<a/>".repeat(2000)).collect::<Vec<u8>>();
    let first =
        segment(0xe1, &[b"http://ns.adobe.com/xmp/extension/\0", &[b'0'; 32], &[0; 8], &many[..4000]]);
    let second = segment(
        0xe1,
        &[b"http://ns.adobe.com/xmp/extension/\0", &[b'0'; 32], &[0; 4], &[0, 0, 1, 0], &many[4000..]],
    );
    assert!(matches!(find(&Late(jpeg(&[first, second]))), Err(Unreadable::TooMuch)));
}

#[test]
fn a_picture_behind_a_few_strange_bytes() {
    let picture = jpeg(&[segment(0xe1, &[b"Exif\0\0", &exif(true)])]);
    for before in [1, 700] {
        let data = [&vec![0; before][..], &picture].concat();
        let report = find(&data).unwrap();
        assert_eq!((report.format, hidden(&data, &report.findings).as_slice()), (Format::Jpeg, &IN_GPS[..]));
    }
    // Which is only a part of something that says more.
    let data = [b"~\x10\x04\xfe0MIE~\x10\x08\x06Latitude1.2345", picture.as_slice()].concat();
    assert!(matches!(find(&data), Err(Unreadable::Damaged { .. })));
}

#[test]
fn xml_with_properties_of_xmp() {
    let xmp = std::str::from_utf8(XMP).unwrap();
    let svg = format!("<svg xmlns='http://www.w3.org/2000/svg'><metadata>{xmp}</metadata></svg>");
    let declared = format!("\u{feff} <?xml version='1.0'?>{xmp}");
    for text in [&svg, &declared] {
        let data = text.as_bytes().to_vec();
        assert_eq!(hidden(&data, &find(&data).unwrap().findings), [b"12,34N"], "{text}");
    }
    // What cannot be taken apart is hidden only if it says something.
    let typed = |body: &str| format!("<!DOCTYPE svg []><svg>{body}</svg>").into_bytes();
    assert_eq!(find(&typed("<path/>")).unwrap().findings, []);
    assert_eq!(find(&typed("<a>latitude</a>")).unwrap().findings.len(), 1);
}
