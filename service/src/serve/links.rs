//! Names for redacted views, for who may read the file.

use std::os::unix::ffi::OsStrExt as _;

use super::Shared;
use crate::control::{Control as _, ControlError, ExplainRequest};
use crate::ops;

impl Shared {
    /// The link of the file at `path`, given to `reader`. `uid` asks, or an administrator.
    pub(super) fn link(
        &self,
        uid: Option<u32>,
        path: &[u8],
        reader: Option<(&str, u32)>,
    ) -> Result<Vec<u8>, ControlError> {
        let (attached, below) = self.locate(path)?;
        if let Some(uid) = uid {
            let question =
                ExplainRequest { uid, operation: "read".to_owned(), path: path.to_vec(), to: None };
            if !self.explain(&question)?.allowed {
                // Whether it is there is not for the caller to know.
                return Err(ControlError::NotFound("there is no file there that you may read".to_owned()));
            }
        }
        let make = || ops::make_link(&attached.volume, below, reader);
        let link = match reader {
            Some((package, user)) => self.identity.while_installed(package, user, make)??,
            None => make()?,
        };
        Ok([attached.config.mount.as_os_str().as_bytes(), b"/", &link].concat())
    }
}
