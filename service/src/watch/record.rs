//! Reading what fanotify writes (include/uapi/linux/fanotify.h): events in native byte order, each with records behind it
//! that name a directory by its handle and a name in it.
//!
//! The bytes come from the kernel; whatever does not fit its own length is skipped all the same.

use crate::lower::Handle;

/// `struct fanotify_event_metadata`.
const EVENT: usize = 24;
/// `struct fanotify_event_info_header` and the file system's id behind it.
const HEADER: usize = 4 + 8;

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) mask: u64,
    /// Who caused it, as this process sees process ids.
    pub(super) pid: i32,
    /// `FAN_EVENT_INFO_TYPE_DFID_NAME`: where it happened.
    pub(super) at: Option<Place>,
    /// `FAN_EVENT_INFO_TYPE_OLD_DFID_NAME`: from where it was renamed.
    pub(super) from: Option<Place>,
    /// `FAN_EVENT_INFO_TYPE_NEW_DFID_NAME`: to where.
    pub(super) to: Option<Place>,
}

/// A directory and a name in it; `.` for the directory itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) dir: Handle,
    pub(super) name: Box<[u8]>,
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// The events in what was read.
pub(super) fn events(mut bytes: &[u8]) -> impl Iterator<Item = Event> {
    std::iter::from_fn(move || {
        let length = u32::from_ne_bytes(field(bytes, 0)?) as usize;
        let event = bytes.get(..length).filter(|it| it.len() >= EVENT)?;
        bytes = bytes.get(length..)?;
        parse(event)
    })
}

fn parse(event: &[u8]) -> Option<Event> {
    let header = usize::from(u16::from_ne_bytes(field(event, 6)?));
    let mut parsed = Event {
        mask: u64::from_ne_bytes(field(event, 8)?),
        pid: i32::from_ne_bytes(field(event, 20)?),
        at: None,
        from: None,
        to: None,
    };
    let mut records = event.get(header..)?;
    while let Some([kind, _]) = field(records, 0) {
        let Some(length) = field(records, 2).map(|it| usize::from(u16::from_ne_bytes(it))) else { break };
        let Some(record) = records.get(..length).filter(|it| it.len() >= HEADER) else { break };
        match kind {
            libc::FAN_EVENT_INFO_TYPE_DFID_NAME => parsed.at = place(record),
            libc::FAN_EVENT_INFO_TYPE_OLD_DFID_NAME => parsed.from = place(record),
            libc::FAN_EVENT_INFO_TYPE_NEW_DFID_NAME => parsed.to = place(record),
            _ => {}
        }
        records = records.get(length..).unwrap_or_default();
    }
    Some(parsed)
}

fn place(record: &[u8]) -> Option<Place> {
    let length = u32::from_ne_bytes(field(record, HEADER)?) as usize;
    let kind = i32::from_ne_bytes(field(record, HEADER + 4)?);
    let (bytes, name) = record.get(HEADER + 8..)?.split_at_checked(length)?;
    let name = name.split(|byte| *byte == 0).next()?;
    Some(Place { dir: Handle { kind, bytes: bytes.into() }, name: name.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, handle: &[u8], name: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 8];
        bytes.extend((handle.len() as u32).to_ne_bytes());
        bytes.extend(7_i32.to_ne_bytes());
        bytes.extend(handle);
        bytes.extend(name);
        bytes.push(0);
        while !(bytes.len() + 4).is_multiple_of(4) {
            bytes.push(0);
        }
        let length = (bytes.len() + 4) as u16;
        [&[kind, 0][..], &length.to_ne_bytes(), &bytes].concat()
    }

    fn event(mask: u64, pid: i32, records: &[Vec<u8>]) -> Vec<u8> {
        let records = records.concat();
        let length = (EVENT + records.len()) as u32;
        [
            &length.to_ne_bytes()[..],
            &[3, 0],
            &(EVENT as u16).to_ne_bytes(),
            &mask.to_ne_bytes(),
            &(-1_i32).to_ne_bytes(),
            &pid.to_ne_bytes(),
            &records,
        ]
        .concat()
    }

    #[test]
    fn events_are_read_with_their_places() {
        let old = record(libc::FAN_EVENT_INFO_TYPE_OLD_DFID_NAME, b"12345678", b"from");
        let new = record(libc::FAN_EVENT_INFO_TYPE_NEW_DFID_NAME, b"1234", b"to\xff");
        let unknown = record(99, b"", b"");
        let bytes = [event(4, 17, &[unknown, old, new]), event(libc::FAN_Q_OVERFLOW, 0, &[])].concat();
        let read: Vec<Event> = events(&bytes).collect();
        let handle = |bytes: &[u8]| Handle { kind: 7, bytes: bytes.into() };
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].mask, read[0].pid), (4, 17));
        assert_eq!(read[0].from, Some(Place { dir: handle(b"12345678"), name: b"from"[..].into() }));
        assert_eq!(read[0].to, Some(Place { dir: handle(b"1234"), name: b"to\xff"[..].into() }));
        assert_eq!(read[1].mask, libc::FAN_Q_OVERFLOW);
    }

    #[test]
    fn whatever_is_cut_off_or_says_a_wrong_length_is_skipped() {
        let whole = event(1, 1, &[record(libc::FAN_EVENT_INFO_TYPE_DFID_NAME, b"12345678", b"name")]);
        for cut in 0..whole.len() {
            assert_eq!(events(&whole[..cut]).count(), 0);
        }
        for at in 0..whole.len() {
            for wrong in [0, 1, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = wrong;
                assert!(events(&bytes).count() <= 1);
            }
        }
    }
}
