use super::*;

#[test]
fn reads_the_extensions_android_knows() {
    use MediaType::*;
    let sets: [(MediaType, &str); 7] = [
        (
            Image,
            "jpg jpeg jpe jfif png gif webp bmp wbmp heic heif heics heifs hif avif dng cr2 nef nrw arw rw2 orf raf pef srw tif tiff svg ico psd",
        ),
        (
            Video,
            "mp4 m4v 3gp 3gpp 3g2 3gp2 3gpp2 mkv webm avi mov qt mpg mpeg ts mts m2ts wmv asf flv f4v ogv",
        ),
        (
            Audio,
            "mp3 m4a m4b aac ac3 amr awb flac ogg oga opus spx wav wma mid midi xmf mxmf rtttl rtx ota imy mka aif aiff mpga mp2 ra 3ga smf",
        ),
        (Playlist, "m3u m3u8 pls wpl xspf"),
        (Subtitle, "srt vtt lrc ttml dfxp smi smil sub"),
        (Document, "pdf txt csv rtf epub doc docx xls xlsx ppt pptx odt ods odp html xml md vcf"),
        (None, "apk zip bin db nomedia json torrent exe unknown_ext"),
    ];
    let mut wrong = Vec::new();
    for (media, extensions) in sets {
        for extension in extensions.split(' ') {
            let mime = mime_of(format!("a.{extension}").as_bytes());
            if MediaType::of_mime(mime) != media {
                wrong.push(format!("{extension} is {mime}, not {media:?}"));
            }
            assert_eq!(mime_of(format!("b.x.{}", extension.to_uppercase()).as_bytes()), mime);
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn takes_the_last_extension_of_the_last_component() {
    assert_eq!(mime_of(b"DCIM/x.mp4/.pending-12-a.b.JPG"), "image/jpeg");
    assert_eq!(mime_of(b".jpg"), "image/jpeg");
    for name in [&b""[..], b"jpg", b"a.", b"a.jpg/b", b"a.jpg ", b"a.\xff", b"a.averyverylongextension"] {
        assert_eq!(mime_of(name), UNKNOWN, "{}", String::from_utf8_lossy(name));
    }
}

#[test]
fn numbers_are_media_stores() {
    for number in 0..=6 {
        assert_eq!(MediaType::from_number(number).map(|it| it as u8), Some(number));
    }
    assert_eq!(MediaType::from_number(7), None);
}

#[test]
fn directories_accept_what_they_are_for() {
    use DefaultDir::*;
    let fits = |mime: &str| DefaultDir::ALL.into_iter().filter(|dir| dir.accepts(mime)).collect::<Vec<_>>();
    let audio =
        [Alarms, Audiobooks, Documents, Download, Music, Notifications, Podcasts, Recordings, Ringtones];
    assert_eq!(fits("audio/mp4"), audio);
    assert_eq!(fits("video/mp4"), [Dcim, Documents, Download, Movies, Pictures]);
    assert_eq!(fits("application/vnd.ms-asf"), [Dcim, Documents, Download, Movies, Pictures]);
    assert_eq!(fits("image/png"), [Dcim, Documents, Download, Pictures]);
    assert_eq!(fits("application/xspf+xml"), [Documents, Download, Movies, Music]);
    assert_eq!(fits("text/vtt"), [Documents, Download, Movies, Music]);
    assert_eq!(fits("application/pdf"), [Documents, Download]);
    assert_eq!(fits(UNKNOWN), [Documents, Download]);
}

#[test]
fn sets_print_what_is_in_them() {
    assert_eq!(format!("{:?}", MediaTypes::VISUAL), "{Image, Video}");
    assert_eq!(format!("{:?}", MediaTypes::AUDIBLE), "{Audio, Playlist, Subtitle}");
}

#[test]
fn the_largest_set_has_every_type() {
    assert!(MediaTypes::ALL.iter().eq(MediaType::ALL));
    assert_eq!(MediaTypes::ALL.with(MediaTypes::IMAGE), MediaTypes::ALL);
}
