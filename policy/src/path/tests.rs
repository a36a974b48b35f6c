use super::*;

#[test]
fn classifies_every_place() {
    use AndroidDir::*;
    let dcim = Some(DefaultDir::Dcim);
    for (path, place) in [
        (&b""[..], Place::Root),
        (b"DCIM", Place::Top { default: dcim }),
        (b"dcim", Place::Top { default: dcim }),
        (b"DCIM/a", Place::Below { default: dcim }),
        (b"dCiM/a/b", Place::Below { default: dcim }),
        (b"DCIMx", Place::Top { default: None }),
        (b"foo", Place::Top { default: None }),
        (b"foo/DCIM", Place::Below { default: None }),
        (b"Android", Place::Android),
        (b"android/DATA", Place::AndroidTop(Data)),
        (b"Android/media", Place::AndroidTop(Media)),
        (b"Android/obb", Place::AndroidTop(Obb)),
        (b"Android/sandbox", Place::AndroidTop(Sandbox)),
        (b"Android/data2", Place::AndroidOther),
        (b"Android/x/y/z", Place::AndroidOther),
        (b"Android/data/a.B", Place::AndroidPackage { dir: Data, package: b"a.B", itself: true }),
        (b"Android/data/a.B/f", Place::AndroidPackage { dir: Data, package: b"a.B", itself: false }),
        (b"Android/obb/a/b/c/d", Place::AndroidPackage { dir: Obb, package: b"a", itself: false }),
    ] {
        assert_eq!(Place::of(path), place, "{}", String::from_utf8_lossy(path));
    }
}

#[test]
fn sees_through_spellings_that_fold_to_android() {
    for spelling in ["Andro\u{200d}id/data/p/f", "Android/da\u{ad}ta/p/f", "\u{feff}ANDROID/Data\u{fe0f}/p/f"]
    {
        let place = Place::of(spelling.as_bytes());
        assert!(
            matches!(place, Place::AndroidPackage { dir: AndroidDir::Data, .. }),
            "{spelling:?}: {place:?}"
        );
    }
    assert!(is_well_known(".tran\u{17f}forms".as_bytes(), TRANSFORMS));
    assert!(is_well_known(".pic\u{212a}er_transcoded".as_bytes(), ".picker_transcoded"));
    assert!(!is_well_known("Andr\u{f6}id".as_bytes(), "Android"));
    assert!(!is_well_known(b"Android\xff", "Android"));
}

#[test]
fn takes_the_last_component() {
    assert_eq!(last_component(b""), b"");
    assert_eq!(last_component(b"a"), b"a");
    assert_eq!(last_component(b"a/b/c"), b"c");
}
