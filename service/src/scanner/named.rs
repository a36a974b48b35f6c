//! What the index says of a file for its name and place alone.

use mediagate_policy::{ExpiringName, MediaType, NameState, media_type_of, mime_of, name_state};

use crate::catalog::FileRow;

/// What follows from a file's name and place. Its MIME type may be what its contents said, if that is of the name's
/// top-level type.
pub(super) struct Named {
    mime: Option<&'static str>,
    media_type: u8,
    pending: bool,
    trashed: bool,
    expires: Option<i64>,
}

impl Named {
    pub(super) fn new(name: &[u8], mime: &str, hidden: bool) -> Named {
        let by_name = mime_of(name);
        let other = mime != by_name && mime.split('/').next() != by_name.split('/').next();
        // Only the last component matters for what is not hidden by what is above.
        let media_type: MediaType = media_type_of(name, if other { by_name } else { mime }, hidden);
        let (pending, trashed, expires) = if name.first() == Some(&b'.') {
            let state = name_state(name);
            let expires = ExpiringName::parse(name).map(|it| i64::try_from(it.expires).unwrap_or(i64::MAX));
            (state == NameState::Pending, state == NameState::Trashed, expires)
        } else {
            (false, false, None)
        };
        Named { mime: other.then_some(by_name), media_type: media_type as u8, pending, trashed, expires }
    }

    /// Whether a row says so.
    pub(super) fn is_in(&self, row: &FileRow) -> bool {
        self.mime.is_none()
            && (row.media_type, row.pending, row.trashed, row.expires)
                == (self.media_type, self.pending, self.trashed, self.expires)
    }

    /// The row, made to say so.
    pub(super) fn put_into(&self, row: &FileRow) -> FileRow {
        FileRow {
            mime: self.mime.map_or_else(|| row.mime.clone(), Into::into),
            media_type: self.media_type,
            pending: self.pending,
            trashed: self.trashed,
            expires: self.expires,
            ..row.clone()
        }
    }
}
