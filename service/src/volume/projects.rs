//! Which quota project a file or directory belongs to (mediaprovider.md §3.10: MediaProvider.updateQuotaTypeForUri, and what
//! vold prepares): by media type, and by app for its own directories. For the system to say what takes the space.

use std::os::fd::{AsFd as _, BorrowedFd};

use mediagate_policy::Uid;

use super::Volume;
use crate::access::Subject;

/// Projects of one user (android.os.UserHandle.PER_USER_RANGE).
const PER_USER: u32 = 100_000;
/// android_filesystem_config.h and android.os.storage.StorageManager: what is no media.
const DEFAULT: u32 = 1000;
const AUDIO: u32 = 1001;
const VIDEO: u32 = 1002;
const IMAGE: u32 = 1003;
/// The first of `Android/data`'s directories, of their caches', and of `Android/obb`'s (AID_EXT_GID_START,
/// AID_EXT_CACHE_GID_START; the last one as installd and vold agree).
const APP_DATA: u32 = 20_000;
const APP_CACHE: u32 = 30_000;
const APP_OBB: u32 = 40_000;
/// The first app's app id.
const FIRST_APP: u32 = 10_000;
/// Apps that there are projects for.
const APPS: u32 = 10_000;

/// Of a file by its `media_type` (android.provider.MediaStore.Files.FileColumns).
pub(super) fn of_media(user: u32, media_type: u8) -> u32 {
    let kind = match media_type {
        1 => IMAGE,
        2 => AUDIO,
        3 => VIDEO,
        _ => DEFAULT,
    };
    user * PER_USER + kind
}

/// Of an app's own directory, by its path in the user's tree.
fn of_app(path: &[u8], app_id: u32) -> Option<u32> {
    let app = app_id.checked_sub(FIRST_APP).filter(|app| *app < APPS)?;
    let mut names = path.split(|byte| *byte == b'/');
    let mut is = |name: &str| names.next().is_some_and(|it| it.eq_ignore_ascii_case(name.as_bytes()));
    let in_android = is("Android");
    let place = names.next().filter(|_| in_android)?.to_ascii_lowercase();
    let (_package, inside) = (names.next()?, names.next());
    match (&place[..], inside, names.next()) {
        (b"data", None, _) => Some(APP_DATA + app),
        (b"data", Some(inside), None) if inside.eq_ignore_ascii_case(b"cache") => Some(APP_CACHE + app),
        (b"obb", None, _) => Some(APP_OBB + app),
        _ => None,
    }
}

impl Volume {
    /// Counts a media file by its type. One that cannot be counted is as good as any other.
    pub fn count_media(&self, file: BorrowedFd<'_>, user: u32, media_type: u8) {
        if self.lower.has_projects()
            && let Err(error) = self.lower.set_project(file, of_media(user, media_type), false)
        {
            log::debug!("volume={}: a file's project cannot be set: {error}", self.name);
        }
    }

    /// Counts a directory that an app made as the app's, if it is one of its own.
    pub fn count_app_dir(&self, parent: BorrowedFd<'_>, name: &[u8], subject: &Subject, maker: u32) {
        if !self.lower.has_projects() {
            return;
        }
        let Some(project) = of_app(subject.path(), Uid(maker).app_id().0) else { return };
        let set = self.lower.open_child(parent, name).and_then(|dir| {
            self.lower.set_project(dir.as_fd(), subject.user_number() * PER_USER + project, true)
        });
        if let Err(error) = set {
            log::debug!("volume={}: a directory's project cannot be set: {error}", self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_follow_the_table() {
        for (user, media_type, project) in
            [(0, 0, 1000), (0, 1, 1003), (0, 2, 1001), (0, 3, 1002), (0, 4, 1000), (10, 1, 1_001_003)]
        {
            assert_eq!(of_media(user, media_type), project);
        }
        for (path, app_id, project) in [
            ("Android/data/com.x", 10_007, Some(20_007)),
            ("android/DATA/com.x/Cache", 10_007, Some(30_007)),
            ("Android/obb/com.x", 19_999, Some(49_999)),
            ("Android/data/com.x/files", 10_007, None),
            ("Android/data/com.x/files/cache", 10_007, None),
            ("Android/media/com.x", 10_007, None),
            ("Android/data", 10_007, None),
            ("DCIM/data/com.x", 10_007, None),
            ("Android/data/com.x", 1000, None),
            ("Android/data/com.x", 20_000, None),
        ] {
            assert_eq!(of_app(path.as_bytes(), app_id), project, "{path}");
        }
    }
}
