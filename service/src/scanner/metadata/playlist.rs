//! Playlists: M3U, PLS and WPL. What they name are bytes, as names of files are.

use std::io::Read;

use quick_xml::Reader;
use quick_xml::events::Event;

/// The most of a playlist that is read.
const LONGEST: u64 = 1 << 20;
/// The most members that are kept.
const MOST: usize = 10_000;

/// What a playlist names, in its order and as it is written there. Nothing for what is no playlist that is known.
pub fn members(file: &mut impl Read, mime: &str) -> std::io::Result<Vec<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut members = match mime {
        "audio/x-mpegurl" | "audio/mpegurl" | "application/x-mpegurl" | "application/vnd.apple.mpegurl" => {
            m3u(text)
        }
        "audio/x-scpls" => pls(text),
        "application/vnd.ms-wpl" => wpl(text),
        _ => Vec::new(),
    };
    members.truncate(MOST);
    Ok(members)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

fn m3u(text: &[u8]) -> Vec<Vec<u8>> {
    lines(text).filter(|line| !line.starts_with(b"#")).map(<[u8]>::to_vec).collect()
}

fn pls(text: &[u8]) -> Vec<Vec<u8>> {
    let mut found: Vec<(u32, Vec<u8>)> = lines(text)
        .filter_map(|line| {
            let (head, rest) =
                line.split_at_checked(4).filter(|(head, _)| head.eq_ignore_ascii_case(b"File"))?;
            let equals = rest.iter().position(|byte| *byte == b'=')?;
            let number = std::str::from_utf8(rest.get(..equals)?).ok()?.trim().parse().ok()?;
            debug_assert!(head.len() == 4);
            Some((number, rest.get(equals + 1..)?.trim_ascii().to_vec()))
        })
        .collect();
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, member)| member).collect()
}

fn wpl(text: &[u8]) -> Vec<Vec<u8>> {
    // XML has no names that are not text.
    let text = String::from_utf8_lossy(text);
    let mut reader = Reader::from_str(&text);
    let mut found = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) if tag.name().as_ref() == "media" => {
                let source = tag.try_get_attribute("src").ok().flatten();
                let source = source.and_then(|it| {
                    Some(it.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?.into_owned())
                });
                found.extend(source.map(String::into_bytes));
            }
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => {}
        }
    }
}

/// Where a member is, below the root that the playlist's directory `dir` is below. `root` is how apps see that root
/// (`/storage/emulated/0`), which an absolute member begins with. `None` for what is elsewhere, or on the network.
pub fn resolve(root: &[u8], dir: &[u8], member: &[u8]) -> Option<Vec<u8>> {
    let member: Vec<u8> = member.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
    let scheme =
        member.iter().position(|byte| *byte == b':').and_then(|at| member.get(at..)?.strip_prefix(b"://"));
    if scheme.is_some() {
        return None;
    }
    let (mut path, rest): (Vec<&[u8]>, &[u8]) = if member.starts_with(b"/") {
        let below = member.strip_prefix(root).filter(|rest| rest.starts_with(b"/"))?;
        (Vec::new(), below)
    } else {
        (dir.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).collect(), &member)
    };
    for part in rest.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                path.pop()?;
            }
            name => path.push(name),
        }
    }
    (!path.is_empty()).then(|| path.join(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mime: &str, text: &[u8]) -> Vec<Vec<u8>> {
        members(&mut &*text, mime).unwrap()
    }

    #[test]
    fn each_form_names_its_members() {
        let m3u = b"\xef\xbb\xbf#EXTM3U\r\n#EXTINF:1,x\r\na.mp3\r\n\r\n  sub\\b\xff.mp3 \n";
        assert_eq!(of("audio/x-mpegurl", m3u), [&b"a.mp3"[..], b"sub\\b\xff.mp3"]);
        let pls = b"[playlist]\nFile10=c\nfile2= b\nTitle2=x\nFile1=a=1\nFilex=y\nNumberOfEntries=3";
        assert_eq!(of("audio/x-scpls", pls), [&b"a=1"[..], b"b", b"c"]);
        let wpl = "<?wpl version='1.0'?><smil><body><seq><media src='..\\a &amp; b.mp3' tid='1'/><media src='ä'/></seq></body></smil>";
        assert_eq!(of("application/vnd.ms-wpl", wpl.as_bytes()), [&b"..\\a & b.mp3"[..], "ä".as_bytes()]);
        assert_eq!(of("audio/mpeg", b"a.mp3"), [[0; 0]; 0]);
    }

    #[test]
    fn members_are_found_from_the_playlist() {
        let at = |member: &[u8]| resolve(b"/storage/emulated/0", b"Music/lists", member);
        assert_eq!(at(b"a.mp3").unwrap(), b"Music/lists/a.mp3");
        assert_eq!(at(b"..\\x\\.\\b.mp3").unwrap(), b"Music/x/b.mp3");
        assert_eq!(at(b"/storage/emulated/0/Music/c.mp3").unwrap(), b"Music/c.mp3");
        for elsewhere in [
            &b"../../../a"[..],
            b"/storage/emulated/01/a",
            b"/etc/passwd",
            b"http://x/a.mp3",
            b"..",
            b"../..",
        ] {
            assert_eq!(
                at(elsewhere).filter(|it| it != b"Music"),
                None,
                "{}",
                String::from_utf8_lossy(elsewhere)
            );
        }
    }
}
