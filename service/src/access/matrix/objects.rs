//! The rows' objects: one for each class of place and state of mediaprovider.md §2.3 and T1 to T9.

use mediagate_policy::{
    FileGrants, Kind, MediaType, NameState, Object, Profiles, Row, UserId, UserKind, VolumeKind,
    media_type_at, name_state,
};
use serde::Serialize;

use super::{OTHER, OWN};

/// The user of all callers.
pub(super) const OWN_USER: UserId = UserId(0);
const OTHER_USER: UserId = UserId(10);
const CLONE: UserId = UserId(11);
const WORK: UserId = UserId(12);

/// A clone and a work profile of the callers' user.
pub(super) fn profiles() -> Profiles {
    [(CLONE, UserKind::Clone { parent: OWN_USER }), (WORK, UserKind::Work { parent: OWN_USER })]
        .into_iter()
        .collect()
}

/// Something on a volume.
#[derive(Clone, Debug, Serialize)]
pub struct Thing {
    /// Its name in the table.
    pub id: &'static str,
    /// What it belongs to.
    pub group: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Where it is, below the user's root.
    pub path: &'static str,
    /// On a public volume, which all users share; else on the emulated one.
    pub public: bool,
    /// False for a name that nothing has.
    pub exists: bool,
    #[serde(skip)]
    pub(super) kind: Kind,
    #[serde(skip)]
    pub(super) row: Option<Row<'static>>,
    #[serde(skip)]
    pub(super) grants: FileGrants,
    #[serde(skip)]
    user: UserId,
    #[serde(skip)]
    mount_root: bool,
}

impl Thing {
    /// Another path in the same tree.
    pub(super) fn at<'a>(&self, path: &'a [u8], kind: Kind) -> Object<'a> {
        let user = (!self.mount_root && !self.public).then_some(self.user);
        let volume = if self.public { VolumeKind::Public } else { VolumeKind::Emulated };
        Object { volume, user, path, mount_root: self.mount_root, kind, row: None }
    }

    fn granted(self, grants: FileGrants) -> Thing {
        Thing { grants, ..self }
    }

    fn unindexed(self) -> Thing {
        Thing { row: None, ..self }
    }

    fn of(self, user: UserId) -> Thing {
        Thing { user, ..self }
    }
}

pub(super) fn row(owner: Option<&str>, media_type: MediaType) -> Row<'_> {
    Row { owner, media_type, pending: false, trashed: false, grants: FileGrants::NONE }
}

fn thing(
    group: &'static str,
    id: &'static str,
    about: &'static str,
    path: &'static str,
    kind: Kind,
) -> Thing {
    let (user, grants) = (OWN_USER, FileGrants::NONE);
    Thing {
        id,
        group,
        about,
        path,
        public: false,
        exists: true,
        kind,
        row: None,
        grants,
        user,
        mount_root: false,
    }
}

fn file(
    group: &'static str,
    id: &'static str,
    about: &'static str,
    path: &'static str,
    owner: &'static str,
) -> Thing {
    let state = name_state(path.as_bytes());
    let row = Row {
        pending: state == NameState::Pending,
        trashed: state == NameState::Trashed,
        ..row(Some(owner), media_type_at(path.as_bytes(), false))
    };
    Thing { row: Some(row), ..thing(group, id, about, path, Kind::File) }
}

pub(super) fn all() -> Vec<Thing> {
    [
        own_files(),
        others_files(),
        granted_files(),
        states(),
        across_users(),
        package_files(),
        new_names(),
        directories(),
        package_directories(),
        on_a_card(),
    ]
    .concat()
}

fn own_files() -> Vec<Thing> {
    let own = |id, about, path| file("Own files", id, about, path, OWN);
    vec![
        own("own-image", "own image", "DCIM/own.jpg"),
        own("own-document", "own document", "Download/own.pdf"),
        own("own-elsewhere", "own file in a directory that is no default one", "Foo/own.txt"),
        own("own-trashed", "own image in the trash", "DCIM/.trashed-1999999999-own.jpg"),
    ]
}

fn others_files() -> Vec<Thing> {
    let other = |id, about, path| file("Other apps' files", id, about, path, OTHER);
    vec![
        other("others-image", "another app's image", "DCIM/other.jpg"),
        other("others-video", "another app's video", "Movies/other.mp4"),
        other("others-audio", "another app's audio file, or playlist", "Music/other.mp3"),
        other("others-subtitle", "another app's subtitles", "Movies/other.srt"),
        other("others-document", "another app's document, or a file of any other type", "Download/other.pdf"),
    ]
}

fn granted_files() -> Vec<Thing> {
    let other = |id, about, path| file("Other apps' files with a grant", id, about, path, OTHER);
    let (image, document) = ("DCIM/other.jpg", "Download/other.pdf");
    vec![
        other("selected-image", "image that the user selected", image).granted(FileGrants::SELECTED),
        other("selected-document", "document: selecting is for photos and videos", document)
            .granted(FileGrants::SELECTED),
        other("read-granted-image", "image with a read grant", image).granted(FileGrants::READ),
        other("read-granted-document", "document with a read grant", document).granted(FileGrants::READ),
        other("write-granted-image", "image with a write grant", image).granted(FileGrants::WRITE),
        other("write-granted-document", "document with a write grant", document).granted(FileGrants::WRITE),
    ]
}

fn states() -> Vec<Thing> {
    let other = |id, about, path| file("Hidden, unpublished, unknown", id, about, path, OTHER);
    vec![
        other("hidden-image", "another app's hidden image", "DCIM/.other.jpg"),
        other(
            "pending-image",
            "another app's image, not published yet",
            "DCIM/.pending-1999999999-other.jpg",
        ),
        other("trashed-image", "another app's image in the trash", "DCIM/.trashed-1999999999-other.jpg"),
        other("unindexed-image", "image that is not indexed", "DCIM/unknown.jpg").unindexed(),
        other("unindexed-document", "document that is not indexed", "Download/unknown.pdf").unindexed(),
        other("album-art", "picture of an album: no medium by its name", "Music/folder.jpg"),
    ]
}

fn across_users() -> Vec<Thing> {
    let own = |id, about, path| file("Other users and profiles", id, about, path, OWN);
    let other = |id, about, path| file("Other users and profiles", id, about, path, OTHER);
    vec![
        other("other-users-image", "image of another user", "DCIM/other.jpg").of(OTHER_USER),
        other("clones-image", "another app's image, in a clone profile", "DCIM/other.jpg").of(CLONE),
        own("clones-own-document", "document of one's own copy, in a clone profile", "Download/own.pdf")
            .of(CLONE),
        own(
            "clones-data-file",
            "file in the Android/data of one's own copy, in a clone profile",
            "Android/data/com.example.app/x",
        )
        .unindexed()
        .of(CLONE),
        other("works-image", "another app's image, in a work profile", "DCIM/other.jpg").of(WORK),
        own("works-own-document", "document of one's own, in a work profile", "Download/own.pdf").of(WORK),
    ]
}

fn package_files() -> Vec<Thing> {
    let own = |id, about, path| file("Package directories", id, about, path, OWN);
    let other = |id, about, path| file("Package directories", id, about, path, OTHER);
    vec![
        own("own-media-file", "file in one's own Android/media", "Android/media/com.example.app/x.bin"),
        other(
            "others-media-image",
            "image in another app's Android/media",
            "Android/media/com.example.other/x.jpg",
        ),
        other(
            "others-media-file",
            "other file in another app's Android/media",
            "Android/media/com.example.other/x.bin",
        ),
        own("own-data-file", "file in one's own Android/data", "Android/data/com.example.app/x").unindexed(),
        other("others-data-file", "file in another app's Android/data", "Android/data/com.example.other/x")
            .unindexed(),
        own("own-obb-file", "file in one's own Android/obb", "Android/obb/com.example.app/x").unindexed(),
        other("others-obb-file", "file in another app's Android/obb", "Android/obb/com.example.other/x")
            .unindexed(),
        own("own-sandbox-file", "file in one's own Android/sandbox", "Android/sandbox/com.example.app/x")
            .unindexed(),
        other(
            "others-sandbox-file",
            "file in another app's Android/sandbox",
            "Android/sandbox/com.example.other/x",
        )
        .unindexed(),
    ]
}

fn new_names() -> Vec<Thing> {
    let new = |id, about, path| Thing { exists: false, ..thing("New names", id, about, path, Kind::File) };
    vec![
        new("new-image", "image where images go", "DCIM/new.jpg"),
        new("new-misfit", "document where only images and videos go", "DCIM/new.pdf"),
        new("new-document", "file of any type", "Download/new.pdf"),
        new("new-in-root", "file in the volume's root", "new.pdf"),
        new("new-default-directory", "default directory", "Podcasts"),
        new("new-elsewhere", "file in a directory that is no default one", "Foo/new.pdf"),
        new("new-not-portable", "name that FAT cannot hold", "Download/a:b.pdf"),
        new("new-own-media", "file in one's own Android/media", "Android/media/com.example.app/new.bin"),
        new(
            "new-others-media",
            "file in another app's Android/media",
            "Android/media/com.example.other/new.jpg",
        ),
        new("new-own-data", "file in one's own Android/data", "Android/data/com.example.app/new"),
        new("new-others-data", "file in another app's Android/data", "Android/data/com.example.other/new"),
        new("new-others-obb", "file in another app's Android/obb", "Android/obb/com.example.other/new"),
        new(
            "new-others-sandbox",
            "file in another app's Android/sandbox",
            "Android/sandbox/com.example.other/new",
        ),
        new("new-data-tree", "Android/data where there is none", "Android/data"),
    ]
}

fn directories() -> Vec<Thing> {
    let dir = |id, about, path| thing("Directories", id, about, path, Kind::Directory);
    vec![
        Thing { mount_root: true, ..dir("mount-root", "directory above the users", "") },
        dir("user-root", "the user's root", ""),
        dir("other-users-root", "another user's root", "").of(OTHER_USER),
        dir("clones-root", "a clone profile's root", "").of(CLONE),
        dir("works-root", "a work profile's root", "").of(WORK),
        dir("default-directory", "default directory", "DCIM"),
        dir("top-directory", "top-level directory that is no default one", "Foo"),
        dir("deeper-directory", "directory below a default one", "DCIM/Camera"),
        dir("android", "Android", "Android"),
        dir("transforms", "directory of the service", ".transforms"),
        dir("below-transforms", "directory in it", ".transforms/d"),
    ]
}

fn package_directories() -> Vec<Thing> {
    let dir = |id, about, path| thing("Directories of packages", id, about, path, Kind::Directory);
    vec![
        dir("android-data", "the packages' data directories", "Android/data"),
        dir("android-obb", "the packages' obb directories", "Android/obb"),
        dir("android-media", "the packages' media directories", "Android/media"),
        dir("android-sandbox", "the packages' sandboxes", "Android/sandbox"),
        dir("own-data", "one's own Android/data", "Android/data/com.example.app"),
        dir("others-data", "another app's Android/data", "Android/data/com.example.other"),
        dir(
            "below-others-data",
            "directory in another app's Android/data",
            "Android/data/com.example.other/d",
        ),
        dir("own-obb", "one's own Android/obb", "Android/obb/com.example.app"),
        dir("others-obb", "another app's Android/obb", "Android/obb/com.example.other"),
        dir("below-others-obb", "directory in another app's Android/obb", "Android/obb/com.example.other/d"),
        dir("own-media", "one's own Android/media", "Android/media/com.example.app"),
        dir("others-media", "another app's Android/media", "Android/media/com.example.other"),
        dir("own-sandbox", "one's own Android/sandbox", "Android/sandbox/com.example.app"),
        dir("others-sandbox", "another app's Android/sandbox", "Android/sandbox/com.example.other"),
    ]
}

/// Of a public volume, what has users or a directory above them on the emulated one, or is private there.
fn on_a_card() -> Vec<Thing> {
    const GROUP: &str = "On a public volume";
    let own = |id, about, path| file(GROUP, id, about, path, OWN);
    let other = |id, about, path| file(GROUP, id, about, path, OTHER);
    let dir = |id, about, path| thing(GROUP, id, about, path, Kind::Directory);
    let new = |id, about, path| Thing { exists: false, ..thing(GROUP, id, about, path, Kind::File) };
    let all = vec![
        own("card-own-document", "own document", "Download/own.pdf"),
        other("card-others-image", "another app's image", "DCIM/other.jpg"),
        other("card-others-document", "another app's document", "Download/other.pdf"),
        own("card-own-data-file", "file in one's own Android/data", "Android/data/com.example.app/x")
            .unindexed(),
        other(
            "card-others-data-file",
            "file in another app's Android/data",
            "Android/data/com.example.other/x",
        )
        .unindexed(),
        new("card-new-image", "new image", "DCIM/new.jpg"),
        new("card-new-in-root", "new file in the volume's root", "new.pdf"),
        dir("card-root", "the volume's root", ""),
        dir("card-default-directory", "default directory", "DCIM"),
        dir("card-android-data", "the packages' data directories", "Android/data"),
        dir("card-others-data", "another app's Android/data", "Android/data/com.example.other"),
    ];
    all.into_iter().map(|it| Thing { public: true, ..it }).collect()
}
