//! What depends on which kernel this is and cannot be asked for.

/// A release of Linux that may leave what it keeps of a listing as it is where OPENDIR does not say `FOPEN_KEEP_CACHE`: 6.9 lost that
/// ("fuse: break up `fuse_open_common()`"), 6.12.10 has it again ("fuse: respect `FOPEN_KEEP_CACHE` on opendir"), as has what came
/// after 6.12. One that is not understood is taken for one.
pub fn keeps_listings_too_long(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|it| it.parse::<u32>().ok());
    let mut next = || numbers.next().flatten();
    match (next(), next()) {
        (Some(major), Some(minor)) => match (major, minor) {
            (6, 9..=11) => true,
            (6, 12) => next().is_none_or(|patch| patch < 10),
            _ => false,
        },
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_that_drop_nothing_are_known() {
        for release in ["6.9.0", "6.10.3-arch1", "6.11", "6.12", "6.12.9-android16", "6.12.0-rc7", "", "six"]
        {
            assert!(keeps_listings_too_long(release), "{release}");
        }
        for release in [
            "6.6.30-android15-8",
            "6.8.0-45-generic",
            "6.12.10",
            "6.12.23-android16-5",
            "6.13.0",
            "6.18.44",
            "7.0",
        ] {
            assert!(!keeps_listings_too_long(release), "{release}");
        }
    }
}
