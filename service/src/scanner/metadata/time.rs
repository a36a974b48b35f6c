//! Points in time as media files write them, in milliseconds since 1970.

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Seconds from 1904 (ISO 14496-12) to 1970.
const FROM_1904: i64 = 2_082_844_800;
/// Seconds from 1970 to 2001 (Matroska).
const TO_2001: i64 = 978_307_200;

/// A creation time of the ISO base media format: 0 says that there is none, and what was made before 1970 was not made by
/// a camera.
pub(super) fn since_1904(seconds: u64) -> Option<i64> {
    let seconds = i64::try_from(seconds).ok()?.checked_sub(FROM_1904)?;
    seconds.checked_mul(1000).filter(|millis| *millis > 0)
}

/// A Matroska date: nanoseconds since 2001.
pub(super) fn since_2001(nanos: i64) -> Option<i64> {
    (nanos / 1_000_000).checked_add(TO_2001 * 1000).filter(|millis| *millis > 0)
}

/// A date and time of no zone, as if it were UTC's.
pub(super) fn civil(date: [u32; 3], time: [u32; 3], millis: u32) -> Option<i64> {
    let ([year, month, day], [hour, minute, second]) = (date, time);
    let fits = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (1900..=9999).contains(&year)
        && hour < 24
        && minute < 60
        && second <= 60
        && millis < 1000;
    if !fits {
        return None;
    }
    // Days before a date of the Gregorian calendar, with years that begin in March.
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    // As many as there are before 1 January 1970.
    let days = days - 719_468;
    let clock = i64::from(hour) * HOUR + i64::from(minute) * MINUTE + i64::from(second) * 1000;
    Some(days * DAY + clock + i64::from(millis))
}

/// EXIF's `2024:05:06 07:08:09`, without a zone.
pub(super) fn exif(text: &str) -> Option<i64> {
    let mut parts = text.trim().split([':', ' ', '-', 'T']);
    let mut next = || parts.next().and_then(|part| part.trim().parse::<u32>().ok());
    let date = [next()?, next()?, next()?];
    let time = [next()?, next()?, next().unwrap_or(0)];
    civil(date, time, 0)
}

/// EXIF's `+02:00`, in milliseconds.
pub(super) fn exif_offset(text: &str) -> Option<i64> {
    let text = text.trim();
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..=14).contains(&hours) && (0..60).contains(&minutes))
        .then(|| sign * (hours * HOUR + minutes * MINUTE))
}

/// EXIF's part of a second: digits behind the point.
pub(super) fn exif_subsec(text: &str) -> u32 {
    let digits = text.trim().bytes().take_while(u8::is_ascii_digit).take(3);
    let (value, count) =
        digits.fold((0, 0), |(value, count), digit| (value * 10 + u32::from(digit - b'0'), count + 1));
    value * 10_u32.pow(3 - count)
}

/// `local` time, of an unknown zone, in UTC, by a time in UTC that is no more than a zone away from it: the difference
/// in quarters of an hour (mediaprovider.md §3.7).
pub(super) fn by_witness(local: i64, witness: i64) -> Option<i64> {
    let quarter = 15 * MINUTE;
    let offset = witness.checked_sub(local).filter(|offset| offset.abs() < DAY)?;
    Some(local + (offset + quarter / 2).div_euclid(quarter) * quarter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_what_the_calendar_says() {
        assert_eq!(civil([1970, 1, 1], [0, 0, 0], 0), Some(0));
        assert_eq!(civil([2000, 2, 29], [12, 0, 0], 5), Some(951_825_600_005));
        assert_eq!(civil([2024, 12, 31], [23, 59, 59], 0), Some(1_735_689_599_000));
        assert_eq!(exif("2024:05:06 07:08:09"), Some(1_714_979_289_000));
        for wrong in ["", "0000:00:00 00:00:00", "2024:13:01 00:00:00", "    :  :     :  :  ", "2024:05:06"] {
            assert_eq!(exif(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn zones_are_read_and_guessed() {
        assert_eq!(exif_offset("+02:00"), Some(2 * HOUR));
        assert_eq!(exif_offset("-03:30"), Some(-3 * HOUR - 30 * MINUTE));
        for wrong in ["", "02:00", "+25:00", "+2", "   :  "] {
            assert_eq!(exif_offset(wrong), None, "{wrong}");
        }
        let local = 1_714_979_289_000;
        assert_eq!(by_witness(local, local - 2 * HOUR + 70_000), Some(local - 2 * HOUR));
        assert_eq!(by_witness(local, local + 5 * HOUR + 45 * MINUTE), Some(local + 5 * HOUR + 45 * MINUTE));
        assert_eq!(by_witness(local, local + 25 * HOUR), None);
    }

    #[test]
    fn parts_of_a_second_have_as_many_digits_as_they_like() {
        assert_eq!(
            (exif_subsec("5"), exif_subsec("123456"), exif_subsec("07"), exif_subsec("")),
            (500, 123, 70, 0)
        );
    }

    #[test]
    fn nothing_is_made_in_1904() {
        assert_eq!(since_1904(0), None);
        assert_eq!(since_1904(2_082_844_801), Some(1000));
        assert_eq!(since_1904(u64::MAX), None);
        assert_eq!(since_2001(1_000_000_000), Some(978_307_201_000));
    }
}
