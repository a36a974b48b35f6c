//! Carries a vector out as its caller, and says what came of it in the vectors' words.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use mediagate_tests::actor::Ask;
use mediagate_tests::{Actor, Errno};

use crate::schema::Vector;
use crate::stage::{HIDDEN_FROM_SOME, LINKED, SHOWN_TO_ALL, Stage, parent};

/// What is expected of the mount: redacted and original bytes are the same for a file that holds no location.
pub(crate) fn expected<'a>(vector: &Vector<'a>) -> &'a str {
    match vector.mounted {
        "allow-redacted" => "allow",
        other => other,
    }
}

pub(crate) fn act(stage: &mut Stage<'_>, vector: &Vector<'_>) -> String {
    let object = stage.object(vector);
    let path = stage.mounted(&object);
    let to = stage.target(vector).map(|to| stage.mounted(&to));
    let directory = stage.mounted(parent(&object));
    let linked = stage.mounted(&if stage.is_public() { LINKED.to_owned() } else { format!("0/{LINKED}") });
    let is_directory = vector.is_directory();
    let mount_root = vector.row.object.mount_root;
    let who = stage.actor(vector.uid());
    match vector.op {
        "lookup" => word(who.stat(&path)),
        "getattr" => {
            let first = word(who.stat(&path));
            same([("first", first), ("second", word(who.stat(&path)))])
        }
        "access-f" => word(who.access(&path, libc::F_OK)),
        "access-r" => word(who.access(&path, libc::R_OK)),
        "access-w" => word(who.access(&path, libc::W_OK)),
        "access-x" => word(who.access(&path, libc::X_OK)),
        "open-read" => word(who.can_read(&path)),
        "open-write" => word(who.can_write(&path)),
        "setattr" => set_attributes(who, &path, is_directory),
        "mkdir" => word(who.mkdir(&path)),
        "rmdir" => word(who.rmdir(&path)),
        "unlink" => word(who.unlink(&path)),
        "rename" => word(who.rename(&path, to.unwrap())),
        "opendir" => open_directory(who, &path, mount_root),
        "list" => {
            let name = path.file_name().unwrap().as_bytes();
            let shown = who.list_bytes(&directory).is_ok_and(|names| names.iter().any(|it| it == name));
            if shown { "shown" } else { "absent" }.to_owned()
        }
        "xattr" => same([
            ("setxattr", word(who.act(&Ask::SetXattr { path: bytes(&path) }))),
            ("getxattr", word(who.ask(&Ask::GetXattr { path: bytes(&path) }))),
            ("listxattr", word(who.ask(&Ask::ListXattr { path: bytes(&path) }))),
            ("removexattr", word(who.act(&Ask::RemoveXattr { path: bytes(&path) }))),
        ]),
        "symlink" => word(who.act(&Ask::Symlink { target: b"x".to_vec(), path: bytes(&path) })),
        "link" => word(who.act(&Ask::Link { from: bytes(&linked), to: bytes(&path) })),
        "create" => {
            let made = who.open(&path, libc::O_CREAT | libc::O_WRONLY).map(|file| who.close(file));
            made_by(stage, vector, &object, word(made))
        }
        "mknod" => {
            let made = who.act(&Ask::Mknod { path: bytes(&path), mode: libc::S_IFREG | 0o600 });
            made_by(stage, vector, &object, word(made))
        }
        other => panic!("{}: no operation {other:?}", vector.id),
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

fn word<T>(result: Result<T, Errno>) -> String {
    result.map_or_else(|errno| format!("{errno:?}"), |_| "allow".to_owned())
}

/// The answer of several calls that ought to have the same.
fn same<const N: usize>(answers: [(&str, String); N]) -> String {
    if answers.iter().all(|(_, answer)| *answer == answers[0].1) {
        return answers[0].1.clone();
    }
    format!("{answers:?}")
}

fn set_attributes(who: &mut Actor, path: &Path, is_directory: bool) -> String {
    let times = word(who.act(&Ask::Utimes { path: bytes(path), seconds: 1_000_000_000 }));
    let mode = word(who.act(&Ask::Chmod { path: bytes(path), mode: 0o600 }));
    if is_directory {
        return same([("utimensat", times), ("chmod", mode)]);
    }
    let size = word(who.act(&Ask::Truncate { path: bytes(path), size: 0 }));
    same([("truncate", size), ("utimensat", times), ("chmod", mode)])
}

fn open_directory(who: &mut Actor, path: &Path, mount_root: bool) -> String {
    let names = match who.list(path) {
        Ok(names) => names,
        Err(errno) => return format!("{errno:?}"),
    };
    let has = |name: &str| names.iter().any(|it| it == name);
    let (all, some) =
        if mount_root { (has("0"), has("10")) } else { (has(SHOWN_TO_ALL), has(HIDDEN_FROM_SOME)) };
    match (all, some) {
        (true, true) => "allow-all".to_owned(),
        (true, false) => "allow-filtered".to_owned(),
        _ => format!("a listing without its directories: {names:?}"),
    }
}

fn made_by(stage: &Stage<'_>, vector: &Vector<'_>, object: &str, answer: String) -> String {
    if answer != "allow" {
        return answer;
    }
    match stage.owner_of(object) {
        None => answer,
        Some(owner) if Some(&owner) == vector.caller.owns_as() => "allow-owned".to_owned(),
        Some(owner) => format!("allow, owned by {owner:?}"),
    }
}
