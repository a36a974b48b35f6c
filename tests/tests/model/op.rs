//! What the machine can be told to do: operations of apps, and of the administrator, in any order. Each makes sense in
//! every state, so that a failing sequence stays one when others are taken out of it.

use mediagate_tests::Package;
use mediagate_tests::picture::picture;
use proptest::prelude::*;
use proptest::sample::select;

/// A caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// Holds nothing.
    Camera,
    /// Reads pictures and videos, without their location.
    Gallery,
    /// May change pictures and videos by app op.
    Editor,
    /// Manages all files.
    Files,
    /// A legacy app with both permissions.
    Old,
    /// Holds nothing but what it is granted on single files.
    Notes,
    Root,
    Shell,
}

impl Who {
    pub(crate) const ALL: [Who; 8] =
        [Who::Camera, Who::Gallery, Who::Editor, Who::Files, Who::Old, Who::Notes, Who::Root, Who::Shell];
    pub(crate) const APPS: [Who; 6] =
        [Who::Camera, Who::Gallery, Who::Editor, Who::Files, Who::Old, Who::Notes];

    pub(crate) fn uid(self) -> u32 {
        match self {
            Who::Root => 0,
            Who::Shell => 2000,
            app => 10_101 + app as u32,
        }
    }

    /// Its package's name; the empty one for who has none.
    pub(crate) fn package(self) -> &'static str {
        match self {
            Who::Camera => "com.example.camera",
            Who::Gallery => "com.example.gallery",
            Who::Editor => "com.example.editor",
            Who::Files => "com.example.files",
            Who::Old => "com.example.old",
            Who::Notes => "com.example.notes",
            Who::Root | Who::Shell => "",
        }
    }

    /// What it is at the beginning, and whenever it is installed again.
    pub(crate) fn installed(self) -> Package {
        let package = Package::new(self.package(), self.uid());
        match self {
            Who::Gallery => package.permissions(&["READ_MEDIA_IMAGES", "READ_MEDIA_VIDEO"]),
            Who::Editor => package.app_op("WRITE_MEDIA_IMAGES", "allow").app_op("WRITE_MEDIA_VIDEO", "allow"),
            Who::Files => package.app_op("MANAGE_EXTERNAL_STORAGE", "allow"),
            Who::Old => {
                package.target_sdk(28).permissions(&["READ_EXTERNAL_STORAGE", "WRITE_EXTERNAL_STORAGE"])
            }
            Who::Camera | Who::Notes | Who::Root | Who::Shell => package,
        }
    }
}

/// What is written into a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content {
    /// So many times a letter: nothing that any finder of locations takes for something else.
    Text(u8, usize),
    /// A JPEG that tells where it was made.
    Located(u8),
}

impl Content {
    pub(crate) fn bytes(self) -> Vec<u8> {
        match self {
            Content::Text(letter, length) => vec![b'a' + letter % 26; length],
            Content::Located(seed) => picture(seed, true, 900),
        }
    }
}

/// A kind of grant on a single file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Selected,
    Read,
    Write,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Selected => "selected",
            Kind::Read => "read",
            Kind::Write => "write",
        }
    }
}

pub(crate) type Path = &'static str;

/// One step. Paths are below user 0's root.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    /// Makes a file that must not be there, and writes it.
    Create(Who, Path, Content),
    /// Makes a file or empties one, and writes it.
    Overwrite(Who, Path, Content),
    /// `mknod` of a regular file.
    Mknod(Who, Path),
    /// Writes so many of a letter at an offset into a file that must be there.
    Write(Who, Path, u64, u8, usize),
    Read(Who, Path),
    Stat(Who, Path),
    /// `access(2)` with these bits.
    Access(Who, Path, i32),
    List(Who, Path),
    /// `renameat2(2)`; true with `RENAME_NOREPLACE`.
    Rename(Who, Path, Path, bool),
    Unlink(Who, Path),
    Mkdir(Who, Path),
    Rmdir(Who, Path),
    Truncate(Who, Path, u64),
    /// Sets both times to these seconds.
    Times(Who, Path, i64),
    /// Opens a file and keeps it open in one of [`SLOTS`]; true for writing.
    Hold(usize, Who, Path, bool),
    /// Reads all of what is open.
    ReadHeld(usize),
    /// Writes so many of a letter at an offset.
    WriteHeld(usize, u64, u8, usize),
    LetGo(usize),
    /// Grants a package a file.
    Give(Who, Path, Kind),
    /// Takes back what a package was granted on a file.
    Take(Who, Path),
    Permission(Who, &'static str, bool),
    Allow(Who, &'static str, bool),
    Remove(Who),
    Clear(Who),
    Install(Who),
}

/// Files that are open at once.
pub(crate) const SLOTS: usize = 3;

/// What is there at the beginning besides the twelve default directories.
pub(crate) const STANDING: [Path; 9] = [
    "Android",
    "Android/data",
    "Android/data/com.example.camera",
    "Android/media",
    "Android/media/com.example.camera",
    "DCIM/d",
    "Download/d",
    "Download/d/e",
    "Work",
];

const DIRS: [Path; 17] = [
    "DCIM/d",
    "DCIM/d/e",
    "DCIM/f",
    "Pictures/d",
    "Download/d",
    "Download/d/e",
    "Download/f",
    "Download/.g",
    "Work",
    "Work/d",
    "Android/media/com.example.camera/d",
    "Android/data/com.example.camera/d",
    "DCIM",
    "Download",
    "Android/media/com.example.camera",
    "Android/data/com.example.camera",
    "Android/data",
];

const FILES: [Path; 42] = [
    "DCIM/a.jpg",
    "DCIM/b.mp4",
    "DCIM/c.mp3",
    "DCIM/d/a.jpg",
    "DCIM/d/b.mp4",
    "DCIM/d/.nomedia",
    "DCIM/d/e/a.jpg",
    "DCIM/f/a.jpg",
    "DCIM/.h.jpg",
    "DCIM/.pending-4102444800-a.jpg",
    "DCIM/.trashed-4102444800-a.jpg",
    "Pictures/a.jpg",
    "Pictures/folder.jpg",
    "Pictures/d/a.jpg",
    "Pictures/d/b.mp4",
    "Pictures/d/.nomedia",
    "Music/c.mp3",
    "Music/a.jpg",
    "Download/a.jpg",
    "Download/b.mp4",
    "Download/c.mp3",
    "Download/t.txt",
    "Download/u.txt",
    "Download/d",
    "Download/d/a.jpg",
    "Download/d/t.txt",
    "Download/d/.nomedia",
    "Download/d/e/a.jpg",
    "Download/d/e/t.txt",
    "Download/f/a.jpg",
    "Download/.g/a.jpg",
    "Download/d/t.txt/x",
    "Download/a?b.txt",
    "Work/a.jpg",
    "Work/t.txt",
    "Work/d/a.jpg",
    "top.jpg",
    "Android/media/com.example.camera/a.jpg",
    "Android/media/com.example.camera/t.txt",
    "Android/media/com.example.camera/d/a.jpg",
    "Android/data/com.example.camera/t.txt",
    "Android/data/com.example.camera/d/a.jpg",
];

const PERMISSIONS: [&str; 6] = [
    "READ_MEDIA_IMAGES",
    "READ_MEDIA_VIDEO",
    "READ_MEDIA_AUDIO",
    "READ_MEDIA_VISUAL_USER_SELECTED",
    "ACCESS_MEDIA_LOCATION",
    "READ_EXTERNAL_STORAGE",
];
const APP_OPS: [&str; 3] = ["WRITE_MEDIA_IMAGES", "WRITE_MEDIA_VIDEO", "MANAGE_EXTERNAL_STORAGE"];

fn who() -> impl Strategy<Value = Who> {
    select(&Who::ALL[..])
}

/// Who has no rights of its own: of whom grants and ownership tell most.
fn app() -> impl Strategy<Value = Who> {
    prop_oneof![3 => select(&[Who::Camera, Who::Notes, Who::Gallery][..]), 1 => select(&Who::APPS[..])]
}

fn caller() -> impl Strategy<Value = Who> {
    prop_oneof![2 => app(), 1 => who()]
}

fn file() -> impl Strategy<Value = Path> {
    // A few names come up often, so that sequences meet the same file again.
    prop_oneof![
        1 => select(&FILES[..]),
        1 => select(&["DCIM/a.jpg", "DCIM/d/a.jpg", "Download/t.txt", "Download/d/t.txt"][..]),
    ]
}

fn dir() -> impl Strategy<Value = Path> {
    prop_oneof![1 => select(&DIRS[..]), 1 => select(&["DCIM/d", "Download/d", "DCIM/f"][..])]
}

fn any_path() -> impl Strategy<Value = Path> {
    prop_oneof![3 => file(), 1 => dir()]
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        3 => (0..26_u8, select(&[0, 1, 40, 4096, 5000][..])).prop_map(|(letter, length)| Content::Text(letter, length)),
        1 => (0..4_u8).prop_map(Content::Located),
    ]
}

fn offset() -> impl Strategy<Value = u64> {
    select(&[0, 1, 39, 100, 4096, 9000][..])
}

fn length() -> impl Strategy<Value = usize> {
    select(&[1, 10, 4096][..])
}

/// One step. `packages`: also what changes which packages there are.
pub(crate) fn any_op(packages: bool) -> impl Strategy<Value = Op> {
    use Op::*;
    let slot = || 0..SLOTS;
    let files = prop_oneof![
        // Whoever may make most files, and most often those with an owner.
        6 => (select(&[Who::Camera, Who::Files][..]), file(), content())
            .prop_map(|(who, path, content)| Create(who, path, content)),
        4 => (caller(), file(), content()).prop_map(|(who, path, content)| Create(who, path, content)),
        2 => (caller(), file(), content()).prop_map(|(who, path, content)| Overwrite(who, path, content)),
        1 => (caller(), file()).prop_map(|(who, path)| Mknod(who, path)),
        2 => (caller(), file(), offset(), 0..26_u8, length()).prop_map(|(who, path, at, letter, length)| {
            Write(who, path, at, letter, length)
        }),
        4 => (caller(), any_path()).prop_map(|(who, path)| Read(who, path)),
        2 => (caller(), any_path()).prop_map(|(who, path)| Stat(who, path)),
        1 => (caller(), any_path(), select(&[0, libc::R_OK, libc::W_OK, libc::R_OK | libc::W_OK][..]))
            .prop_map(|(who, path, mask)| Access(who, path, mask)),
        3 => (caller(), prop_oneof![3 => dir(), 1 => any_path(), 1 => Just("")])
            .prop_map(|(who, path)| List(who, path)),
        4 => (caller(), file(), file(), any::<bool>()).prop_map(|(who, from, to, no_replace)| {
            Rename(who, from, to, no_replace)
        }),
        3 => (caller(), dir(), dir(), any::<bool>()).prop_map(|(who, from, to, no_replace)| {
            Rename(who, from, to, no_replace)
        }),
        1 => (caller(), any_path(), any_path()).prop_map(|(who, from, to)| Rename(who, from, to, false)),
        2 => (caller(), any_path()).prop_map(|(who, path)| Unlink(who, path)),
        5 => (caller(), dir()).prop_map(|(who, path)| Mkdir(who, path)),
        1 => (caller(), any_path()).prop_map(|(who, path)| Rmdir(who, path)),
        2 => (caller(), any_path(), offset()).prop_map(|(who, path, size)| Truncate(who, path, size)),
        1 => (caller(), any_path(), 0..2_000_000_000_i64).prop_map(|(who, path, seconds)| {
            Times(who, path, seconds)
        }),
        2 => (slot(), caller(), file(), any::<bool>()).prop_map(|(slot, who, path, write)| {
            Hold(slot, who, path, write)
        }),
        1 => slot().prop_map(ReadHeld),
        1 => (slot(), offset(), 0..26_u8, length()).prop_map(|(slot, at, letter, length)| {
            WriteHeld(slot, at, letter, length)
        }),
        1 => slot().prop_map(LetGo),
    ];
    let rights = prop_oneof![
        3 => (app(), file(), select(&[Kind::Selected, Kind::Read, Kind::Write][..]))
            .prop_map(|(who, path, kind)| Give(who, path, kind)),
        1 => (app(), file()).prop_map(|(who, path)| Take(who, path)),
        2 => (app(), select(&PERMISSIONS[..]), any::<bool>()).prop_map(|(who, permission, holds)| {
            Permission(who, permission, holds)
        }),
        1 => (app(), select(&APP_OPS[..]), any::<bool>()).prop_map(|(who, op, allowed)| Allow(who, op, allowed)),
    ];
    let comings = prop_oneof![
        2 => app().prop_map(Remove),
        1 => app().prop_map(Clear),
        3 => app().prop_map(Install),
    ];
    prop_oneof![
        12 => files,
        2 => rights,
        u32::from(packages) => comings,
    ]
}

/// A sequence of at most `most` steps.
pub(crate) fn sequence(most: usize, packages: bool) -> impl Strategy<Value = Vec<Op>> {
    proptest::collection::vec(any_op(packages), 1..most)
}
